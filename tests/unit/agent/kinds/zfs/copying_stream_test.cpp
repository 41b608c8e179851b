#include "agent/kinds/zfs/copying_stream.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "agent/host/real_host.h"
#include "common/base/file.h"
#include "tests/support/must.h"
#include "tests/support/scratch.h"
#include "tests/support/send_stream_builder.h"

namespace relab::agent::zfs {

namespace {

/// Of about so many bytes.
std::string stream_of(std::size_t bytes) {
  constexpr std::uint64_t record = 96U << 10U;
  SendStreamBuilder builder;
  builder.package("datapool@copied", 1024);
  builder.begin({.to_name = "datapool@copied", .features = SendStreamBuilder::raw});
  for (std::size_t written = 0; written < bytes; written += record) builder.write(record);
  builder.end().end_package();
  return builder.take();
}

crypto::Digest digest_of(std::string_view text) {
  crypto::ChunkDigests digests;
  digests.add(bytes_of(text));
  digests.finish();
  return digests.whole();
}

/// A file with one buffer, which is written over as soon as it is full.
class Recycling final : public NewFile {
 public:
  std::span<std::uint8_t> room() override { return std::span(buffer_).subspan(filled_); }
  Result<void> take(ByteView piece) override {
    text.append(text_of(piece));
    if (piece.data() != buffer_.data() + filled_) return {};
    filled_ += piece.size();
    if (filled_ == buffer_.size()) filled_ = 0;
    return {};
  }
  Result<void> publish(const std::filesystem::path&) override { return {}; }

  std::string text;

 private:
  Bytes buffer_ = Bytes(std::size_t{1} << 20U);
  std::size_t filled_ = 0;
};

}  // namespace

TEST_CASE("copying stream: its digests are those of the file that it wrote", "[agent][zfs]") {
  const Scratch scratch;
  RealHost host;
  const auto text = stream_of(std::size_t{21} << 20U);
  must(replace_file(scratch.path() / "from", text));
  const auto file = must(host.create_file(scratch.path() / "part"));
  CopyingStream copying(host, *file, text.size());

  must(host.stream({.argv = {"cat", (scratch.path() / "from").string()}}, copying));
  const auto stream = must(copying.finish());
  must(file->publish(scratch.path() / "to"));

  CHECK(stream.is_package);
  CHECK(copying.digests().bytes() == text.size());
  CHECK(copying.digests().whole() == digest_of(text));
  CHECK(must(host.read_file(scratch.path() / "to", std::size_t{32} << 20U)) == text);
}

TEST_CASE("copying stream: no byte is written over before it is digested", "[agent][zfs]") {
  RealHost host;
  const auto text = stream_of(std::size_t{12} << 20U);
  Recycling file;
  CopyingStream copying(host, file, text.size());

  // Pieces of many sizes, some of which come from elsewhere.
  std::string_view left = text;
  for (std::size_t turn = 0; !left.empty(); ++turn) {
    const auto foreign = turn % 7 == 6;
    const auto there = foreign ? std::span<std::uint8_t>() : copying.room();
    auto count = std::min(left.size(), 4096 + turn * 7919 % 200'000);
    if (!foreign) count = std::min(count, there.size());
    if (!foreign) std::copy_n(left.begin(), count, there.begin());
    must(copying.take(foreign ? bytes_of(left.substr(0, count)) : ByteView(there.first(count))));
    left.remove_prefix(count);
  }
  must(copying.finish());

  CHECK(file.text == text);
  CHECK(copying.digests().bytes() == text.size());
  CHECK(copying.digests().whole() == digest_of(text));
}

}  // namespace relab::agent::zfs
