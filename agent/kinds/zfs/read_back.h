#pragma once

/// A copy as it is on its disk, held against its manifest while it flows by.

#include <optional>

#include "agent/host/host.h"
#include "agent/kinds/zfs/manifest.h"
#include "agent/kinds/zfs/send_stream.h"
#include "common/base/aside.h"

namespace relab::agent::zfs {

class ReadingBack final : public Sink {
 public:
  /// Borrows both.
  ReadingBack(Host& host, schema::BackupManifest::Reader manifest);

  /// Fault::damaged, with the place, at the end of the first chunk that is not what was written.
  Result<void> take(ByteView piece) override;

  /// That everything came: the stream that it was. Fault::damaged, with the place, if not.
  Result<SendStream> finish();

 private:
  Result<void> check_chunks();

  Host& host_;
  schema::BackupManifest::Reader manifest_;
  crypto::ChunkDigests digests_;
  SendStreamReader reader_ = SendStreamReader(Scrutiny::checksums);
  /// Of the reader: what the digests say of the place is better, and comes with the chunk's end.
  std::optional<Error> failure_;
  std::size_t checked_ = 0;
  /// The reader: a part of the work on a fast disk. Last: it uses all the others.
  Aside aside_;
};

}  // namespace relab::agent::zfs
