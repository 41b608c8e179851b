#pragma once

/// A send stream on its way into the file that is to hold it: everything that is done with its
/// bytes, in one pass.

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

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
    // What is not digested yet must not be written over.
    if (touch(waiting_, there)) {
      settle();
    } else if (touch(digesting_, there)) {
      aside_.wait();
      begin();
    }
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
  /// Bytes that lie where the file has its buffers.
  using Places = std::vector<ByteView>;

  static bool touch(const Places& places, ByteView there) {
    return std::ranges::any_of(places, [&](ByteView place) {
      return std::less<>()(place.data(), there.data() + there.size()) &&
             std::less<>()(there.data(), place.data() + place.size());
    });
  }
  /// Beside what comes next, if the piece stays where it is: in the file's own room.
  void digest(ByteView piece) {
    if (piece.data() != lent_) {
      settle();
      digests_.add(piece);
      return;
    }
    lent_ += piece.size();
    waiting_.push_back(piece);
    if (!aside_.busy()) begin();
  }
  void begin() {
    digesting_ = std::exchange(waiting_, {});
    aside_.begin([this] { add(digesting_); });
  }
  /// Until every byte that was taken is digested.
  void settle() {
    aside_.wait();
    add(waiting_);
    waiting_.clear();
  }
  void add(const Places& places) {
    for (const auto place : places) digests_.add(place);
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
  /// Which are being digested, or were; and those that come next.
  Places digesting_;
  Places waiting_;
  /// Digests: most of the work on a fast disk. Last: it uses all the others.
  Aside aside_;
};

}  // namespace relab::agent::zfs
