#pragma once

/// Bytes that must not leak: guarded, locked where the system allows, zeroed when released.

#include <memory>
#include <optional>
#include <sodium.h>
#include <span>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::crypto {

class Secret {
 public:
  explicit Secret(std::size_t size);
  /// Copies; the source stays as it is.
  static Secret of(ByteView bytes);

  /// Reads the descriptor to its end. Fault::invalid if it cannot be read, or holds more bytes.
  static Result<Secret> read(int fd, std::size_t size_max);

  /// A copy of the first bytes.
  Secret first(std::size_t size) const { return of(view().first(size)); }
  /// Without one line's end ("\n" or "\r\n") behind it.
  Secret without_line_end() const;
  /// With a length that tells little of how many bytes there are: to be sealed or stored.
  Secret padded() const;
  /// Of `padded()`; nothing if these are no such bytes.
  std::optional<Secret> unpadded() const;

  std::span<std::uint8_t> bytes() { return {data_.get(), size_}; }
  ByteView view() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }

 private:
  struct Release {
    void operator()(std::uint8_t* data) const { sodium_free(data); }
  };
  std::unique_ptr<std::uint8_t, Release> data_;
  std::size_t size_;
};

/// Must be called once before anything of libsodium; ends the process if the library cannot start.
void start();

/// Keeps this process's memory, and so its keys, out of core dumps and away from debuggers of its
/// user.
void protect_process();

/// Zeroes the text's bytes and empties it.
void wipe(std::string& text);

}  // namespace relab::crypto
