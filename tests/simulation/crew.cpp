#include "tests/simulation/crew.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace relab::sim {

namespace {

/// What one process tells, in memory that it shares with the first.
struct Share {
  Counts counts;
  /// The world that it is in, or was in when it failed.
  std::uint64_t seed = 0;
  std::uint64_t held = 0;
  bool failed = false;
};
static_assert(std::is_trivially_destructible_v<Share>);

struct Board {
  std::atomic<bool> stop = false;
  std::array<Share, 64> shares = {};
};

/// Memory that forked processes have in common.
class SharedBoard {
 public:
  SharedBoard()
      : place_(::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)) {
    if (place_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    board_ = new (place_) Board;
  }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  ~SharedBoard() { ::munmap(place_, sizeof(Board)); }

  Board* operator->() const { return board_; }

 private:
  void* place_;
  Board* board_ = nullptr;
};

struct Stretch {
  std::uint64_t first;
  std::uint64_t end;
  std::uint64_t stride;
};

/// The life of one process of the crew.
void walk(const Stretch& stretch, Share& share, const std::atomic<bool>& stop) {
  for (auto seed = stretch.first; seed < stretch.end && !stop; seed += stretch.stride) {
    share.seed = seed;
    const auto verdict = World(seed, Plant::none).run();
    add(share.counts, verdict.counts);
    share.failed = !verdict.held;
    if (share.failed) return;
    ++share.held;
  }
}

pid_t start(const Stretch& stretch, Share& share, std::atomic<bool>& stop) {
  std::fflush(stdout);
  const auto pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid > 0) return pid;
  try {
    walk(stretch, share, stop);
  } catch (const std::exception&) {
    share.failed = true;
  }
  if (share.failed) stop = true;
  // Not `_exit`: what counts lines writes its counts at the end.
  std::exit(0);
}

}  // namespace

void add(Counts& sum, const Counts& counts) {
  sum.events += counts.events;
  sum.frames += counts.frames;
  sum.lost += counts.lost;
  sum.doubled += counts.doubled;
  sum.hostile += counts.hostile;
  sum.crashes += counts.crashes;
  sum.torn += counts.torn;
  sum.cuts += counts.cuts;
  sum.started += counts.started;
  sum.succeeded += counts.succeeded;
  sum.failed += counts.failed;
  sum.abandoned += counts.abandoned;
  sum.destroyed += counts.destroyed;
  sum.changed += counts.changed;
  sum.kept += counts.kept;
}

CrewEnd run_crew(std::uint64_t first, std::uint64_t seeds, unsigned jobs) {
  const SharedBoard board;
  jobs = std::clamp<unsigned>(jobs, 1, std::tuple_size_v<decltype(Board::shares)>);
  std::vector<pid_t> crew;
  for (unsigned job = 0; job < jobs; ++job)
    crew.push_back(start({.first = first + job, .end = first + seeds, .stride = jobs},
                         board->shares.at(job), board->stop));
  CrewEnd end;
  for (std::size_t job = 0; job < crew.size(); ++job) {
    int status = 0;
    if (::waitpid(crew[job], &status, 0) != crew[job])
      throw std::system_error(errno, std::generic_category(), "waitpid");
    const auto& share = board->shares.at(job);
    const bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (died) board->stop = true;
    if (died || share.failed) end.failed = std::min(end.failed.value_or(share.seed), share.seed);
    add(end.counts, share.counts);
    end.held += share.held;
  }
  return end;
}

}  // namespace relab::sim
