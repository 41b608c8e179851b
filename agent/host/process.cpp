/// The child gets its own session, an empty signal mask, /dev/null or a pipe as input, two pipes as
/// output and a pinned environment with a mark of its own. The mark finds the processes that left
/// the session when all must end: /proc shows the environment that a process started with. A
/// grandchild that keeps the pipes open does not hold the task for ever.

#include "agent/host/process.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "agent/host/marks.h"
#include "common/base/handle.h"

namespace relab::agent {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto grace_after_term = std::chrono::seconds(2);
constexpr auto grace_for_pipes = std::chrono::milliseconds(200);
/// How often a stop request is looked for: it comes from a thread whose descriptors are not ours,
/// so that nothing which it could write to would wake us.
constexpr auto look_up = std::chrono::milliseconds(100);
constexpr int kill_rounds_max = 20;
constexpr std::size_t text_piece = std::size_t{64} << 10U;
constexpr std::size_t stream_piece = std::size_t{1} << 20U;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(Fault::busy, fmt::format("no pipe: {}", words_of(errno)));
  return Pipe{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// One end of the child's output, read to the end: kept up to a limit, or passed on.
struct Outlet {
  Fd fd;
  std::string& text;
  std::size_t size_max;
  bool& truncated;
  /// Takes everything instead.
  Sink* sink = nullptr;
  std::optional<Error> failure = {};

  /// False at the end of the stream, or once the sink has failed.
  bool take(std::vector<std::uint8_t>& buffer) {
    auto space = sink == nullptr ? std::span<std::uint8_t>() : sink->room();
    if (space.empty()) space = buffer;
    const auto count = ::read(fd.get(), space.data(), space.size());
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    if (count == 0) return false;
    const auto piece = ByteView(space).first(static_cast<std::size_t>(count));
    if (sink == nullptr) return keep(piece);
    const auto taken = sink->take(piece);
    if (!taken) failure = taken.error();
    return taken.has_value();
  }

 private:
  bool keep(ByteView piece) {
    const auto room = size_max - text.size();
    text.append(text_of(piece.first(std::min(room, piece.size()))));
    if (piece.size() > room) truncated = true;
    return true;
  }
};

class Child {
 public:
  /// Borrows the sink, if there is one.
  static Result<Child> start(const ProcessSpec& spec, Output& output, Sink* sink);

  /// The child has the piece then, or it wants no more: false.
  Result<bool> send(ByteView piece, const std::function<Result<void>()>& may_go_on);
  Result<Output> finish(const ProcessSpec& spec, const std::stop_token& stop, Output& output);
  /// It is not wanted any more.
  void drop();

 private:
  Child(pid_t pid, Fd pidfd, std::string mark, Fd input, Outlet out, Outlet err,
        std::size_t buffer_size)
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        mark_(std::move(mark)),
        input_(std::move(input)),
        out_(std::move(out)),
        err_(std::move(err)),
        buffer_(buffer_size) {}

  void step(Clock::time_point until, std::string_view& unsent);
  void feed(std::string_view& unsent);
  void end_all();
  int reap();

  pid_t pid_;
  Fd pidfd_;
  std::string mark_;
  Fd input_;
  Outlet out_;
  Outlet err_;
  std::vector<std::uint8_t> buffer_;
  bool exited_ = false;
  /// More input comes than what there is now.
  bool more_ = false;
  /// It closed its input.
  bool refused_ = false;
};

Result<Child> Child::start(const ProcessSpec& spec, Output& output, Sink* sink) {
  RELAB_TRY(auto in, make_pipe());
  RELAB_TRY(auto out, make_pipe());
  RELAB_TRY(auto err, make_pipe());
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&settings.actions, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&settings.actions, err.write.get(), 2);
  posix_spawn_file_actions_addchdir_np(&settings.actions, "/");
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, 3);
  auto mark = next_mark();
  auto argv = spec.command.argv;
  std::vector<std::string> environment = {
      "PATH=" + spec.path, "LC_ALL=C.UTF-8", "HOME=/root", "DEBIAN_FRONTEND=noninteractive",
      // systemctl gives up after 25 s, which a busy machine needs.
      "SYSTEMD_BUS_TIMEOUT=50s", mark};
  pid_t pid = -1;
  const auto error =
      ::posix_spawn(&pid, spec.program.c_str(), &settings.actions, &settings.attributes,
                    pointers(argv).data(), pointers(environment).data());
  // The program was found: ENOENT is its interpreter or loader.
  if (error == ENOENT)
    return fail(
        Fault::damaged,
        fmt::format("{} does not start: what it needs to run is missing (the interpreter of "
                    "a script, or a loader)",
                    spec.program));
  if (error != 0)
    return fail(Fault::damaged,
                fmt::format("{} does not start: {}", spec.program, words_of(error)));
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(Fault::unsupported,
                fmt::format("no pidfd for {}: {}", spec.program, words_of(errno)));
  }
  ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
  // Fewer, larger pieces; a smaller pipe does as well.
  if (sink != nullptr) ::fcntl(out.read.get(), F_SETPIPE_SZ, stream_piece);
  const auto limit = spec.command.output_max;
  return Child(pid, std::move(pidfd), std::move(mark), std::move(in.write),
               Outlet{.fd = std::move(out.read),
                      .text = output.out,
                      .size_max = limit,
                      .truncated = output.truncated,
                      .sink = sink},
               Outlet{.fd = std::move(err.read),
                      .text = output.err,
                      .size_max = limit,
                      .truncated = output.truncated},
               sink == nullptr ? text_piece : stream_piece);
}

void Child::feed(std::string_view& unsent) {
  if (!unsent.empty()) {
    const auto count = ::write(input_.get(), unsent.data(), unsent.size());
    if (count >= 0) unsent.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      unsent = {};  // the child does not want more
      refused_ = true;
    }
  }
  if (unsent.empty() && !more_) input_.reset();
}

Result<bool> Child::send(ByteView piece, const std::function<Result<void>()>& may_go_on) {
  more_ = true;
  auto unsent = text_of(piece);
  while (!unsent.empty()) {
    RELAB_CHECK(may_go_on());
    step(Clock::now() + look_up, unsent);
    if (refused_ || exited_) return false;
  }
  return true;
}

void Child::drop() {
  end_all();
  reap();
}

/// Waits once, at most until then, and takes what there is.
void Child::step(Clock::time_point until, std::string_view& unsent) {
  std::array<pollfd, 4> fds = {{{.fd = exited_ ? -1 : pidfd_.get(), .events = POLLIN, .revents = 0},
                                {.fd = out_.fd.get(), .events = POLLIN, .revents = 0},
                                {.fd = err_.fd.get(), .events = POLLIN, .revents = 0},
                                {.fd = input_.get(), .events = POLLOUT, .revents = 0}}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  if (::poll(fds.data(), fds.size(),
             static_cast<int>(std::clamp<long>(left, 0, look_up.count()))) <= 0)
    return;
  if (fds[1].revents != 0 && !out_.take(buffer_)) out_.fd.reset();
  if (fds[2].revents != 0 && !err_.take(buffer_)) err_.fd.reset();
  if (fds[3].revents != 0) feed(unsent);
  if (fds[0].revents != 0) exited_ = true;
}

/// TERM, time to tidy up, KILL; then whatever left the session, round by round until none is left.
void Child::end_all() {
  ::kill(-pid_, SIGTERM);
  std::string_view nothing;
  const auto until = Clock::now() + grace_after_term;
  while (!exited_ && Clock::now() < until) step(until, nothing);
  ::kill(-pid_, SIGKILL);
  for (int round = 0; round < kill_rounds_max; ++round) {
    const auto left = marked_processes(mark_);
    if (left.empty()) return;
    for (const auto pid : left) ::kill(pid, SIGKILL);
  }
}

int Child::reap() {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

Result<Output> Child::finish(const ProcessSpec& spec, const std::stop_token& stop, Output& output) {
  const auto deadline = Clock::now() + spec.command.timeout;
  auto unsent = spec.input;
  more_ = false;
  feed(unsent);
  // What flows is complete only once its end was seen.
  const auto goes_on = [&] { return !exited_ || (out_.sink != nullptr && out_.fd); };
  while (goes_on() && !out_.failure && !stop.stop_requested() && Clock::now() < deadline)
    step(deadline, unsent);
  const bool ended_by_us = goes_on();
  if (ended_by_us) end_all();
  const auto until = Clock::now() + grace_for_pipes;
  while ((out_.fd || err_.fd) && Clock::now() < until) step(until, unsent);
  output.status = reap();
  if (out_.failure) return fail(std::move(*out_.failure));
  if (!ended_by_us) return std::move(output);
  const auto line = fmt::format("{}", fmt::join(spec.command.argv, " "));
  if (stop.stop_requested())
    return fail(Fault::cancelled,
                fmt::format("'{}' was ended: the task was cancelled or out of time", line));
  return fail(Fault::cancelled, fmt::format("'{}' was ended: it took more than {} s", line,
                                            spec.command.timeout.count()));
}

/// What flows into a child.
class Feeding final : public Sink {
 public:
  Feeding(Child& child, Sink& also, const ProcessSpec& spec, const std::stop_token& stop)
      : child_(child), also_(also), stop_(stop), deadline_(Clock::now() + spec.command.timeout) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(also_.take(piece));
    RELAB_TRY(const bool taken, child_.send(piece, [this] { return may_go_on(); }));
    if (taken) return {};
    enough_ = true;
    return fail(Fault::cancelled, "the program wants no more");
  }

  /// The child ended the flow.
  bool enough() const { return enough_; }

 private:
  Result<void> may_go_on() const {
    if (stop_.stop_requested())
      return fail(Fault::cancelled, "the task was cancelled or is out of time");
    if (Clock::now() < deadline_) return {};
    return fail(Fault::cancelled, "the program did not take its input in time");
  }

  Child& child_;
  Sink& also_;
  const std::stop_token& stop_;
  Clock::time_point deadline_;
  bool enough_ = false;
};

}  // namespace

Result<Output> run_process(const ProcessSpec& spec, const std::stop_token& stop) {
  Output output;
  RELAB_TRY(auto child, Child::start(spec, output, nullptr));
  return child.finish(spec, stop, output);
}

Result<Output> stream_process(const ProcessSpec& spec, Sink& sink, const std::stop_token& stop) {
  Output output;
  RELAB_TRY(auto child, Child::start(spec, output, &sink));
  return child.finish(spec, stop, output);
}

Result<Output> feed_process(const ProcessSpec& spec, const Source& source, Sink& also,
                            const std::stop_token& stop) {
  Output output;
  RELAB_TRY(auto child, Child::start(spec, output, nullptr));
  Feeding feeding(child, also, spec, stop);
  const auto flowed = source(feeding);
  if (flowed || feeding.enough()) return child.finish(spec, stop, output);
  child.drop();
  return fail(flowed.error());
}

Result<Piped> pipe_processes(const ProcessSpec& from, const ProcessSpec& to, Sink& also,
                             const std::stop_token& stop) {
  Output left;
  Output taken;
  RELAB_TRY(auto receiver, Child::start(to, taken, nullptr));
  Feeding feeding(receiver, also, to, stop);
  auto sender = Child::start(from, left, &feeding);
  if (!sender) {
    receiver.drop();
    return fail(sender.error());
  }
  auto sent = sender->finish(from, stop, left);
  if (!sent && !feeding.enough()) {
    receiver.drop();
    return fail(sent.error());
  }
  // Where the receiver wanted no more, how its sender ended stands in what it left all the same.
  if (sent) left = std::move(*sent);
  RELAB_TRY(auto received, receiver.finish(to, stop, taken));
  return Piped{.from = std::move(left), .to = std::move(received)};
}

}  // namespace relab::agent
