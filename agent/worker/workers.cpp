#include "agent/worker/workers.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/host/observed_host.h"
#include "agent/host/real_host.h"
#include "agent/kinds/carry_out.h"
#include "agent/worker/ending.h"
#include "agent/worker/parcels.h"

// The thread sanitizer takes a descriptor's number for the same file in every thread.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RELAB_THREAD_SANITIZER 1
#endif
#endif
#ifndef RELAB_THREAD_SANITIZER
#define RELAB_THREAD_SANITIZER 0
#endif

namespace relab::agent {

namespace {

/// What was not answered is asked once more: the controller may have been away.
constexpr auto ask_interval = std::chrono::seconds(2);

/// Programs make files as those that root starts in a shell: what the agent keeps to itself it
/// makes private by itself, and no container starts whose root only its owner may enter.
void have_own_umask() {
  constexpr mode_t usual = 022;
  if (::unshare(CLONE_FS) == 0) ::umask(usual);
}

/// From here on, what this thread opens does not count against the limit that the connections of
/// strangers use up, and no task can reach the door's or the journal's files. Only `kept` is left,
/// beside standard input and output. A descriptor that one of the threads opens means nothing, or
/// something else, to all others. The journal's locks stay: those of fcntl belong to a table, those
/// of flock to the open file.
void have_own_files([[maybe_unused]] int kept) {
#if !RELAB_THREAD_SANITIZER
  if (::unshare(CLONE_FILES) != 0) return;  // forbidden by a sandbox: the task still works
  const auto first = static_cast<unsigned>(STDERR_FILENO + 1);
  const auto middle = static_cast<unsigned>(kept);
  if (middle > first) ::close_range(first, middle - 1, 0);
  ::close_range(std::max(first, middle + 1), ~0U, 0);
#endif
}

}  // namespace

Workers::Workers(std::string program_path, std::filesystem::path parcels)
    : program_path_(std::move(program_path)),
      parcels_(std::move(parcels)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Workers::~Workers() {
  for (auto& [id, worker] : workers_) worker.thread.request_stop();
}

void Workers::start(const TaskId& id, Job job) {
  const std::scoped_lock lock(mutex_);
  auto shared = std::make_shared<Job>(std::move(job));
  workers_[id].thread =
      std::jthread([this, id, shared](const std::stop_token& stop) { work(stop, id, *shared); });
}

void Workers::stop(const TaskId& id, StopReason reason) {
  std::stop_source source(std::nostopstate);
  {
    const std::scoped_lock lock(mutex_);
    const auto worker = workers_.find(id);
    if (worker == workers_.end()) return;
    if (!worker->second.stopped) worker->second.stopped = reason;
    source = worker->second.thread.get_stop_source();
  }
  source.request_stop();
}

std::optional<StopReason> Workers::stop_reason(const TaskId& id) {
  const std::scoped_lock lock(mutex_);
  return workers_[id].stopped;
}

void Workers::work(const std::stop_token& stop, const TaskId& id, Job& job) {
  have_own_umask();
  have_own_files(wake_.get());
  Parcels parcels(parcels_, stop, [&](const Want& want) { return ask(stop, id, want); });
  RealHost machine(stop, program_path_,
                   {.secrets = &job.secrets,
                    .keys = job.keys,
                    .ledger_head = &job.ledger_head,
                    .commands = &job.commands,
                    .delivery = job.delivery ? &*job.delivery : nullptr,
                    .courier = &parcels});
  RealHost unstopped({}, program_path_);
  const auto tell = [&](const Advance& advance, const std::string& for_person) {
    notify(TaskProgress{.id = id, .advance = advance, .for_person = for_person});
  };
  ObservedHost host(machine, tell);
  ObservedHost rescue(unstopped, tell);
  const auto started = wall_clock();
  auto work = carry_out(job.order.reader(), {.host = host, .rescue = rescue},
                        [&](const auto& before) { return arm(stop, id, before); });
  job.secrets.clear();
  TaskEnd end{.id = id, .started = started, .ended = wall_clock(), .log = host.take_log()};
  const auto rescued = rescue.take_log();
  end.log.insert(end.log.end(), rescued.begin(), rescued.end());
  end.unconfirmed = work.unconfirmed;
  end.stuck = work.stuck;
  take_work(std::move(work), stop_reason(id), end);
  notify(std::move(end));
}

Result<void> Workers::arm(const std::stop_token& stop, const TaskId& id,
                          const Message<schema::Facts>& before) {
  const auto bytes = before.bytes();
  notify(TaskArming{.id = id, .before = Bytes(bytes.begin(), bytes.end())});
  std::unique_lock lock(mutex_);
  auto& answer = workers_[id].armed;
  if (answered_.wait(lock, stop, [&] { return answer.has_value(); })) return std::move(*answer);
  return fail(Fault::cancelled, "the task was stopped before its first change");
}

void Workers::armed(const TaskId& id, Result<void> stored) {
  {
    const std::scoped_lock lock(mutex_);
    const auto worker = workers_.find(id);
    if (worker == workers_.end()) return;
    worker->second.armed = std::move(stored);
  }
  answered_.notify_all();
}

void Workers::piece(const TaskId& id, Piece piece) {
  {
    const std::scoped_lock lock(mutex_);
    const auto worker = workers_.find(id);
    if (worker == workers_.end()) return;
    worker->second.piece = std::move(piece);
  }
  answered_.notify_all();
}

std::optional<Piece> Workers::ask(const std::stop_token& stop, const TaskId& id, const Want& want) {
  notify(TaskWant{.id = id, .want = want});
  std::unique_lock lock(mutex_);
  auto& piece = workers_[id].piece;
  answered_.wait_for(lock, stop, ask_interval, [&] { return piece && piece->of == want; });
  return std::exchange(piece, {});
}

void Workers::review(const TaskId& id, Message<schema::Order> order) {
  const std::scoped_lock lock(mutex_);
  auto shared = std::make_shared<Message<schema::Order>>(std::move(order));
  workers_[id].thread = std::jthread(
      [this, id, shared](const std::stop_token& stop) { look_again(stop, id, *shared); });
}

void Workers::look_again(const std::stop_token& stop, const TaskId& id,
                         const Message<schema::Order>& order) {
  have_own_umask();
  have_own_files(wake_.get());
  RealHost machine(stop, program_path_);
  ObservedHost host(machine, [](const Advance&, const std::string&) {});
  const auto started = wall_clock();
  auto work = relab::agent::review(order.reader(), host);
  TaskEnd end{.id = id, .started = started, .ended = wall_clock(), .log = host.take_log()};
  end.unconfirmed = work.unconfirmed;
  take_work(std::move(work), stop_reason(id), end);
  notify(std::move(end));
}

void Workers::undo(const TaskId& id, Undoing undoing) {
  const std::scoped_lock lock(mutex_);
  auto shared = std::make_shared<Undoing>(std::move(undoing));
  workers_[id].thread = std::jthread([this, id, shared] { work_back(id, *shared); });
}

void Workers::work_back(const TaskId& id, const Undoing& undoing) {
  have_own_umask();
  have_own_files(wake_.get());
  // Nobody stops the way back.
  RealHost machine({}, program_path_);
  ObservedHost host(machine, [](const Advance&, const std::string&) {});
  const auto started = wall_clock();
  const auto undone = relab::agent::undo(undoing.order.reader(), undoing.before.reader(), host);
  TaskEnd end{.id = id,
              .started = started,
              .ended = wall_clock(),
              .outcome = undoing.outcome,
              .failure = {.fault = Fault::cancelled, .what = undoing.why + "; undone"},
              .log = host.take_log()};
  if (!undone) {
    end.stuck = true;
    end.failure = {.fault = Fault::damaged, .what = undone.error().sentence()};
  }
  notify(std::move(end));
}

void Workers::notify(Notice notice) {
  const std::scoped_lock lock(mutex_);
  notices_.push_back(std::move(notice));
  ::eventfd_write(wake_.get(), 1);
}

std::vector<Notice> Workers::take_notices() {
  std::vector<Notice> taken;
  std::vector<Worker> ended;
  {
    const std::scoped_lock lock(mutex_);
    eventfd_t count = 0;
    static_cast<void>(::eventfd_read(wake_.get(), &count));
    while (!notices_.empty()) {
      taken.push_back(std::move(notices_.front()));
      notices_.pop_front();
      if (const auto* end = std::get_if<TaskEnd>(&taken.back())) {
        ended.push_back(std::move(workers_[end->id]));
        workers_.erase(end->id);
      }
    }
  }
  return taken;  // the threads are joined here, without the lock
}

}  // namespace relab::agent
