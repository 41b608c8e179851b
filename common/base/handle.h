#pragma once

/// Owners for what the operating system and C libraries hand out.

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

namespace relab {

/// A unique_ptr whose type names the release function.
template <typename T, auto release>
struct CRelease {
  void operator()(T* handle) const { release(handle); }
};
template <typename T, auto release>
using CHandle = std::unique_ptr<T, CRelease<T, release>>;

/// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

/// The words of an errno value.
inline std::string words_of(int error) {
  char buffer[128];
  return ::strerror_r(error, buffer, sizeof buffer);
}

}  // namespace relab
