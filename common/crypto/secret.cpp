#include "common/crypto/secret.h"

#include <algorithm>
#include <new>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace relab::crypto {

Secret::Secret(std::size_t size)
    : data_(static_cast<std::uint8_t*>(sodium_malloc(size))), size_(size) {
  if (!data_) throw std::bad_alloc();
  sodium_memzero(data_.get(), size_);
}

Secret Secret::of(ByteView bytes) {
  Secret secret(bytes.size());
  std::ranges::copy(bytes, secret.data_.get());
  return secret;
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
