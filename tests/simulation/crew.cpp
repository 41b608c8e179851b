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

/// A process that does this and ends with the code that it returns; 100 for an exception.
pid_t start(const std::function<unsigned()>& work) {
  std::fflush(stdout);
  const auto pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid > 0) return pid;
  unsigned code = 100;
  try {
    code = work();
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "relab-sim: %s\n", exception.what());
  }
  // Not `_exit`: what counts lines writes its counts at the end.
  std::exit(static_cast<int>(code));
}

/// The code it ended with; 100 for a process that was killed.
unsigned end_of(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid)
    throw std::system_error(errno, std::generic_category(), "waitpid");
  return WIFEXITED(status) ? static_cast<unsigned>(WEXITSTATUS(status)) : 100;
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

unsigned sum_of_crew(unsigned jobs, const std::function<unsigned(unsigned job)>& work) {
  std::vector<pid_t> crew;
  for (unsigned job = 0; job < std::max(jobs, 1U); ++job)
    crew.push_back(start([&] { return work(job); }));
  unsigned sum = 0;
  for (const auto pid : crew) sum += end_of(pid);
  return sum;
}

CrewEnd run_crew(std::uint64_t first, std::uint64_t seeds, unsigned jobs) {
  const SharedBoard board;
  jobs = std::clamp<unsigned>(jobs, 1, std::tuple_size_v<decltype(Board::shares)>);
  std::vector<pid_t> crew;
  for (unsigned job = 0; job < jobs; ++job)
    crew.push_back(start([&] {
      auto& share = board->shares.at(job);
      try {
        walk({.first = first + job, .end = first + seeds, .stride = jobs}, share, board->stop);
      } catch (const std::exception&) {
        board->stop = true;
        throw;
      }
      if (share.failed) board->stop = true;
      return 0U;
    }));
  CrewEnd end;
  for (std::size_t job = 0; job < crew.size(); ++job) {
    const bool died = end_of(crew[job]) != 0;
    const auto& share = board->shares.at(job);
    if (died) board->stop = true;
    if (died || share.failed) end.failed = std::min(end.failed.value_or(share.seed), share.seed);
    add(end.counts, share.counts);
    end.held += share.held;
  }
  return end;
}

}  // namespace relab::sim
