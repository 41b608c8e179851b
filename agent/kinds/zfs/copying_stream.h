#pragma once

/// A send stream on its way into the file that is to hold it: everything that is done with its
/// bytes, in one pass.

#include <utility>

#include "agent/host/host.h"
#include "agent/kinds/zfs/send_stream.h"
#include "common/base/aside.h"
#include "common/crypto/chunks.h"

namespace relab::agent::zfs {

class CopyingStream final : public Sink {
 public:
  /// Borrows both. The estimate, in bytes, is for the progress.
  CopyingStream(Host& host, NewFile& file, std::uint64_t estimate)
      : host_(host), file_(file), estimate_(estimate) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(reader_.feed(std::as_bytes(piece)));
    digest(piece);
    taken_ += piece.size();
    RELAB_CHECK(file_.take(piece));
    host_.progress(
        {.done = taken_, .total = estimate_, .unit = "bytes", .what = "writing the copy"});
    return {};
  }

  std::span<std::uint8_t> room() override {
    const auto there = file_.room();
    // Further on in one buffer, nothing that is still being digested is written over.
    if (there.data() != lent_) settle();
    lent_ = there.data();
    return there;
  }

  /// That the stream is whole.
  Result<SendStream> finish() {
    settle();
    digests_.finish();
    return std::move(reader_).finish();
  }
  /// Once it is finished.
  const crypto::ChunkDigests& digests() const { return digests_; }

 private:
  /// Beside what comes next, if the piece stays where it is: in the file's own room.
  void digest(ByteView piece) {
    if (piece.data() != lent_) {
      settle();
      digests_.add(piece);
      return;
    }
    lent_ += piece.size();
    waiting_ = {waiting_.empty() ? piece.data() : waiting_.data(), waiting_.size() + piece.size()};
    if (aside_.busy()) return;
    aside_.begin([this, bytes = std::exchange(waiting_, {})] { digests_.add(bytes); });
  }
  /// Until every byte that was taken is digested.
  void settle() {
    aside_.wait();
    digests_.add(std::exchange(waiting_, {}));
  }

  Host& host_;
  NewFile& file_;
  std::uint64_t estimate_;
  std::uint64_t taken_ = 0;
  SendStreamReader reader_ = SendStreamReader(Scrutiny::structure);
  /// Changed by whoever digests: one at a time.
  crypto::ChunkDigests digests_;
  /// Where the next bytes are put; null: nowhere.
  std::uint8_t* lent_ = nullptr;
  /// The last bytes of a buffer, which nobody digests yet.
  ByteView waiting_;
  /// Digests: most of the work on a fast disk. Last: it uses all the others.
  Aside aside_;
};

}  // namespace relab::agent::zfs
