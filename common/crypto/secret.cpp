#include "common/crypto/secret.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <new>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/handle.h"

namespace relab::crypto {

namespace {

/// Longer than most passphrases and all keys of ZFS.
constexpr std::size_t padding = 256;

}  // namespace

Secret::Secret(std::size_t size)
    : data_((start(), static_cast<std::uint8_t*>(sodium_malloc(size)))), size_(size) {
  if (!data_) throw std::bad_alloc();
  sodium_memzero(data_.get(), size_);
}

Secret Secret::of(ByteView bytes) {
  Secret secret(bytes.size());
  std::ranges::copy(bytes, secret.data_.get());
  return secret;
}

Result<Secret> Secret::read(int fd, std::size_t size_max) {
  // One byte more, so that what is too long is noticed.
  Secret all(size_max + 1);
  std::size_t size = 0;
  while (size < all.size()) {
    const auto count = ::read(fd, all.data_.get() + size, all.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(Fault::invalid, words_of(errno));
    if (count == 0) return all.first(size);
    size += static_cast<std::size_t>(count);
  }
  return fail(Fault::invalid, fmt::format("there are more than {} bytes", size_max));
}

Secret Secret::without_line_end() const {
  auto text = text_of(view());
  if (text.ends_with('\n')) text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  return first(text.size());
}

Secret Secret::padded() const {
  Secret padded((size_ / padding + 1) * padding);
  std::ranges::copy(view(), padded.data_.get());
  std::size_t size = 0;
  RELAB_ASSERT(sodium_pad(&size, padded.data_.get(), size_, padding, padded.size()) == 0 &&
               size == padded.size());
  return padded;
}

std::optional<Secret> Secret::unpadded() const {
  std::size_t size = 0;
  if (size_ == 0 || size_ % padding != 0 || sodium_unpad(&size, data_.get(), size_, padding) != 0)
    return {};
  return first(size);
}

void start() { RELAB_ASSERT(sodium_init() >= 0); }

void protect_process() {
#if defined(__SANITIZE_ADDRESS__) || defined(RELAB_SANITIZED)
  // The leak checker must be able to trace its own process.
#else
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace relab::crypto
