#pragma once

/// A send stream on its way into the file that is to hold it: everything that is done with its
/// bytes, in one pass.

#include "agent/host/host.h"
#include "agent/kinds/zfs/send_stream.h"
#include "common/crypto/chunks.h"

namespace relab::agent::zfs {

class CopyingStream final : public Sink {
 public:
  /// Borrows both. The estimate, in bytes, is for the progress.
  CopyingStream(Host& host, NewFile& file, std::uint64_t estimate)
      : host_(host), file_(file), estimate_(estimate) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(reader_.feed(std::as_bytes(piece)));
    digests_.add(piece);
    RELAB_CHECK(file_.take(piece));
    host_.progress({.done = digests_.bytes(),
                    .total = estimate_,
                    .unit = "bytes",
                    .what = "writing the copy"});
    return {};
  }

  std::span<std::uint8_t> room() override { return file_.room(); }

  /// That the stream is whole.
  Result<SendStream> finish() {
    digests_.finish();
    return std::move(reader_).finish();
  }
  const crypto::ChunkDigests& digests() const { return digests_; }

 private:
  Host& host_;
  NewFile& file_;
  std::uint64_t estimate_;
  SendStreamReader reader_ = SendStreamReader(Scrutiny::structure);
  crypto::ChunkDigests digests_;
};

}  // namespace relab::agent::zfs
