#pragma once

/// A new file that holds, compressed by zstd, what is given to it.

#include <memory>

#include "agent/host/flow.h"
#include "common/crypto/chunks.h"

namespace relab::agent::archive {

class CompressedFile final : public Sink {
 public:
  /// Borrows the file.
  explicit CompressedFile(NewFile& file);
  CompressedFile(const CompressedFile&) = delete;
  CompressedFile& operator=(const CompressedFile&) = delete;
  ~CompressedFile() override;

  Result<void> take(ByteView piece) override;
  /// Nothing may be taken after it.
  Result<void> finish();

  /// Of the compressed file, once it is finished.
  std::uint64_t bytes() const;
  crypto::Digest digest() const;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace relab::agent::archive
