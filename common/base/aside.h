#pragma once

/// A second thread for one job at a time: what can be done beside something else.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace relab {

class Aside {
 public:
  Aside() : thread_([this](const std::stop_token& stop) { work(stop); }) {}

  /// Begins the job, once the one before has ended. What it uses stays as it is until `wait`.
  void begin(std::function<void()> job) {
    wait();
    const std::scoped_lock lock(mutex_);
    job_ = std::move(job);
    changed_.notify_all();
  }
  /// Whether a job has not ended yet.
  bool busy() {
    const std::scoped_lock lock(mutex_);
    return static_cast<bool>(job_);
  }
  /// Until there is no job.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !job_; });
  }

 private:
  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return static_cast<bool>(job_); })) {
      lock.unlock();
      job_();
      lock.lock();
      job_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  /// Changed by whoever has the lock; run by the thread alone.
  std::function<void()> job_;
  /// Last: it uses all the others.
  std::jthread thread_;
};

}  // namespace relab
