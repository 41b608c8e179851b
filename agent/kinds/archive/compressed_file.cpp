#include "agent/kinds/archive/compressed_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <optional>

#include "common/base/handle.h"

namespace relab::agent::archive {

class CompressedFile::Writer {
 public:
  explicit Writer(NewFile& file) : file_(file), archive_(archive_write_new()) {
    archive_write_set_format_raw(archive_.get());
    archive_write_add_filter_zstd(archive_.get());
    archive_write_set_bytes_in_last_block(archive_.get(), 1);
    good_ = archive_write_open(archive_.get(), this, nullptr, &push, nullptr) == ARCHIVE_OK &&
            write_header();
  }

  Result<void> take(ByteView piece) {
    while (good_ && !piece.empty()) {
      const auto count = archive_write_data(archive_.get(), piece.data(), piece.size());
      good_ = count > 0;
      if (good_) piece = piece.subspan(static_cast<std::size_t>(count));
    }
    return outcome();
  }
  Result<void> finish() {
    RELAB_CHECK(outcome());
    good_ = archive_write_close(archive_.get()) == ARCHIVE_OK;
    digest_ = hash_.finish();
    return outcome();
  }
  std::uint64_t bytes() const { return hash_.bytes(); }
  crypto::Digest digest() const { return digest_; }

 private:
  bool write_header() {
    const CHandle<archive_entry, archive_entry_free> entry(archive_entry_new());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_pathname(entry.get(), "content");
    return archive_write_header(archive_.get(), entry.get()) == ARCHIVE_OK;
  }
  static la_ssize_t push(::archive* /*archive*/, void* self, const void* bytes, std::size_t size) {
    return static_cast<Writer*>(self)->store({static_cast<const std::uint8_t*>(bytes), size});
  }
  la_ssize_t store(ByteView piece) {
    if (piece.empty()) return 0;
    if (auto done = file_.take(piece); !done) {
      failure_ = std::move(done).error();
      return -1;
    }
    hash_.add(piece);
    return static_cast<la_ssize_t>(piece.size());
  }
  Result<void> outcome() const {
    if (failure_) return fail(*failure_);
    if (good_) return {};
    const auto* words = archive_error_string(archive_.get());
    return fail(Fault::damaged,
                fmt::format("zstd cannot compress: {}", words == nullptr ? "no reason" : words));
  }

  crypto::Blake2b hash_;
  NewFile& file_;
  std::optional<Error> failure_;
  crypto::Digest digest_{};
  bool good_ = false;
  /// Last: its end still writes.
  CHandle<::archive, archive_write_free> archive_;
};

CompressedFile::CompressedFile(NewFile& file) : writer_(std::make_unique<Writer>(file)) {}
CompressedFile::~CompressedFile() = default;

Result<void> CompressedFile::take(ByteView piece) { return writer_->take(piece); }
Result<void> CompressedFile::finish() { return writer_->finish(); }
std::uint64_t CompressedFile::bytes() const { return writer_->bytes(); }
crypto::Digest CompressedFile::digest() const { return writer_->digest(); }

}  // namespace relab::agent::archive
