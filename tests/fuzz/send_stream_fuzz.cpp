// Any bytes as a ZFS send stream: the same verdict in whatever pieces, more that is wrong with
// checksums than without, and never two ends.
//
// The first byte is the size of the pieces; 0: all in one.

#include <algorithm>

#include "agent/kinds/zfs/send_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace relab;
using namespace relab::agent::zfs;

Result<SendStream> read(std::span<const std::byte> bytes, Scrutiny scrutiny, std::size_t piece) {
  SendStreamReader reader(scrutiny);
  for (bool good = true; good && !bytes.empty();) {
    const auto next = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(next.size());
    good = reader.feed(next).has_value();
    RELAB_ASSERT(reader.good_until() <= reader.so_far().bytes);
  }
  return std::move(reader).finish();
}

void check(const SendStream& stream, std::size_t size) {
  std::uint64_t bytes = 0;
  for (const auto& count : stream.counts)
    bytes += count.records * record_size + count.payload_bytes;
  RELAB_ASSERT(bytes == size && stream.bytes == size);
  const std::size_t extra = stream.is_package ? 1 : 0;
  RELAB_ASSERT(stream.count(RecordType::begin).records == stream.substreams.size() + extra);
  RELAB_ASSERT(stream.count(RecordType::end).records == stream.substreams.size() + 2 * extra);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t piece = data[0] == 0 ? size : data[0];
  for (const auto scrutiny : {Scrutiny::structure, Scrutiny::checksums}) {
    const auto whole = read(bytes, scrutiny, size);
    const auto pieces = read(bytes, scrutiny, piece);
    RELAB_ASSERT(whole.has_value() == pieces.has_value());
    if (!whole) {
      RELAB_ASSERT(whole.error().what == pieces.error().what);
      continue;
    }
    RELAB_ASSERT(*whole == *pieces);
    check(*whole, bytes.size());
    RELAB_ASSERT(!read(bytes.first(bytes.size() - 1), scrutiny, size));
    if (const auto structure = read(bytes, Scrutiny::structure, size))
      RELAB_ASSERT(*structure == *whole);
    else
      RELAB_ASSERT(false);
  }
  return 0;
}
