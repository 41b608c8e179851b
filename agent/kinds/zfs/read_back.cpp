#include "agent/kinds/zfs/read_back.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent::zfs {

ReadingBack::ReadingBack(Host& host, schema::BackupManifest::Reader manifest)
    : host_(host), manifest_(manifest), digests_(manifest.getChunkBytes()) {}

Result<void> ReadingBack::take(ByteView piece) {
  // Digests take longer: they do not wait until another thread has woken up.
  aside_.begin([&] {
    if (failure_) return;
    if (auto fed = reader_.feed(std::as_bytes(piece)); !fed) failure_ = std::move(fed).error();
  });
  digests_.add(piece);
  aside_.wait();
  host_.progress({.done = digests_.bytes(),
                  .total = manifest_.getBytes(),
                  .unit = "bytes",
                  .what = "reading the copy back"});
  return check_chunks();
}

Result<void> ReadingBack::check_chunks() {
  const auto expected = manifest_.getChunks();
  for (; checked_ < digests_.chunks().size(); ++checked_) {
    const auto from = checked_ * manifest_.getChunkBytes();
    if (checked_ >= expected.size())
      return fail(Fault::damaged, fmt::format("the stream has more than the {} bytes that its "
                                              "manifest says",
                                              manifest_.getBytes()));
    if (hex(digests_.chunks()[checked_]) != view(expected[static_cast<unsigned>(checked_)]))
      return fail(Fault::damaged,
                  fmt::format("the bytes {} to {} are not what was written", from,
                              std::min(from + manifest_.getChunkBytes(), digests_.bytes()) - 1),
                  "the disk or the way to it is not to be trusted: write the copy to another one");
  }
  return {};
}

Result<SendStream> ReadingBack::finish() {
  digests_.finish();
  RELAB_CHECK(check_chunks());
  if (digests_.bytes() != manifest_.getBytes())
    return fail(Fault::damaged, fmt::format("the stream has {} bytes, and its manifest says {}",
                                            digests_.bytes(), manifest_.getBytes()));
  if (failure_) return fail(*failure_);
  return std::move(reader_).finish();
}

}  // namespace relab::agent::zfs
