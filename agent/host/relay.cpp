#include "agent/host/relay.h"

#include <cstdlib>
#include <new>

#include "common/base/result.h"

namespace relab::agent {

Buffer::Buffer(std::size_t capacity)
    : capacity_(capacity),
      bytes_(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, capacity))) {
  RELAB_ASSERT(capacity % alignment == 0);
  if (!bytes_) throw std::bad_alloc();
}

void Buffer::Free::operator()(std::uint8_t* bytes) const { std::free(bytes); }

Relay::Relay(std::size_t count, std::size_t capacity) {
  buffers_.reserve(count);
  for (std::size_t number = 0; number < count; ++number) {
    buffers_.emplace_back(capacity);
    empty_.push_back(&buffers_.back());
  }
}

Buffer* Relay::empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || !empty_.empty(); });
  if (stopped_) return nullptr;
  auto* buffer = empty_.front();
  empty_.pop_front();
  buffer->size = 0;
  return buffer;
}

void Relay::pass(Buffer* full) {
  const std::scoped_lock lock(mutex_);
  full_.push_back(full);
  changed_.notify_all();
}

void Relay::end() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

Buffer* Relay::full() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || ended_ || !full_.empty(); });
  if (stopped_ || full_.empty()) return nullptr;
  auto* buffer = full_.front();
  full_.pop_front();
  return buffer;
}

void Relay::give_back(Buffer* taken) {
  const std::scoped_lock lock(mutex_);
  empty_.push_back(taken);
  changed_.notify_all();
}

void Relay::stop() {
  const std::scoped_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace relab::agent
