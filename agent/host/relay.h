#pragma once

/// Buffers on their way from one thread to another and back: a bounded amount of memory between
/// two that are not equally fast at every moment.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "common/base/bytes.h"

namespace relab::agent {

/// Aligned for direct input and output.
class Buffer {
 public:
  static constexpr std::size_t alignment = 4096;

  /// Of `capacity` bytes, a multiple of the alignment.
  explicit Buffer(std::size_t capacity);

  std::uint8_t* data() { return bytes_.get(); }
  std::size_t capacity() const { return capacity_; }
  std::size_t room() const { return capacity_ - size; }
  ByteView filled() const { return {bytes_.get(), size}; }

  /// Bytes that mean something.
  std::size_t size = 0;

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };

  std::size_t capacity_;
  std::unique_ptr<std::uint8_t, Free> bytes_;
};

class Relay {
 public:
  Relay(std::size_t count, std::size_t capacity);

  /// For the one who fills: an empty buffer, waited for; null once somebody stopped.
  Buffer* empty();
  /// On to the other side.
  void pass(Buffer* full);
  /// Nothing comes any more.
  void end();

  /// For the one who takes: the next full one, waited for; null at the end or once somebody
  /// stopped.
  Buffer* full();
  void give_back(Buffer* taken);

  /// From either side: neither waits any more.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Buffer> buffers_;
  /// The one that is empty for longest first.
  std::deque<Buffer*> empty_;
  std::deque<Buffer*> full_;
  bool ended_ = false;
  bool stopped_ = false;
};

}  // namespace relab::agent
