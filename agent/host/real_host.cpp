#include "agent/host/real_host.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <thread>
#include <unistd.h>

#include "agent/host/dial.h"
#include "agent/host/direct_file.h"
#include "agent/host/no_program.h"
#include "agent/host/place_file.h"
#include "agent/host/process.h"
#include "common/base/handle.h"
#include "common/base/text.h"
#include "common/store/copy.h"
#include "common/wire/dsse.h"

namespace relab::agent {

namespace {

constexpr std::size_t chunk_size = 65536;
/// What is shorter stands in half of all outputs by chance.
constexpr std::size_t hidden_size_min = 4;
/// How often a stop request is looked for.
constexpr auto glance = Millis(50);

tl::unexpected<Error> stopped() {
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

Error error_of(int error, const Path& path) {
  if (error == ENOENT || error == ENOTDIR)
    return {.fault = Fault::missing, .what = fmt::format("there is no {}", path.string())};
  if (error == EISDIR)
    return {.fault = Fault::invalid, .what = fmt::format("{} is a directory", path.string())};
  return {.fault = Fault::damaged, .what = fmt::format("{}: {}", path.string(), words_of(error))};
}

Instant time_of(const timespec& time) {
  const auto whole = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  return Instant(std::chrono::floor<Millis>(whole));
}

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::regular;
  if (S_ISDIR(mode)) return FileType::directory;
  if (S_ISLNK(mode)) return FileType::symlink;
  if (S_ISBLK(mode)) return FileType::block;
  if (S_ISCHR(mode)) return FileType::character;
  return FileType::other;
}

/// A program may repeat what it was given.
void hide(std::string_view secret, std::string& text) {
  if (secret.size() < hidden_size_min) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    sodium_memzero(text.data() + at, secret.size());
    text.replace(at, secret.size(), "(secret)");
  }
}

bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

bool is_anything(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace

Result<std::string> RealHost::find_program(const std::string& name) const {
  std::vector<std::string> candidates;
  if (name.starts_with('/')) {
    candidates.push_back(name);
  } else {
    for (const auto folder : split(path_, ':'))
      candidates.push_back(fmt::format("{}/{}", folder, name));
  }
  if (const auto found = std::ranges::find_if(candidates, is_program); found != candidates.end())
    return *found;
  // A dangling link or a file without the right to be run is a broken tool, not an absent one.
  if (const auto broken = std::ranges::find_if(candidates, is_anything); broken != candidates.end())
    return fail(Fault::damaged, fmt::format("{} is there, but it cannot be run", *broken));
  return fail(no_program(name));
}

Result<ByteView> RealHost::find_secret(const std::string& name) const {
  if (means_.secrets != nullptr)
    if (const auto found = means_.secrets->find(name); found != means_.secrets->end())
      return found->second.view();
  return fail(Fault::missing, fmt::format("no secret '{}' came with the order", name));
}

Result<Output> RealHost::run(const Command& command) {
  RELAB_ASSERT(!command.argv.empty() && (command.input.empty() || command.secret_input.empty()));
  if (stop_.stop_requested()) return stopped();
  RELAB_TRY(const auto program, find_program(command.argv[0]));
  if (command.secret_input.empty())
    return run_process(
        {.program = program, .command = command, .path = path_, .input = command.input}, stop_);
  RELAB_TRY(const auto secret, find_secret(command.secret_input));
  auto output = run_process(
      {.program = program, .command = command, .path = path_, .input = text_of(secret)}, stop_);
  if (output) {
    hide(text_of(secret), output->out);
    hide(text_of(secret), output->err);
  }
  return output;
}

Result<Output> RealHost::stream(const Command& command, Sink& sink) {
  RELAB_ASSERT(!command.argv.empty() && command.secret_input.empty());
  if (stop_.stop_requested()) return stopped();
  RELAB_TRY(const auto program, find_program(command.argv[0]));
  return stream_process(
      {.program = program, .command = command, .path = path_, .input = command.input}, sink, stop_);
}

Result<Output> RealHost::feed(const Path& path, const Command& command, Sink& also) {
  RELAB_ASSERT(!command.argv.empty() && command.secret_input.empty() && command.input.empty());
  if (stop_.stop_requested()) return stopped();
  RELAB_TRY(const auto program, find_program(command.argv[0]));
  return feed_process(
      {.program = program, .command = command, .path = path_, .input = {}},
      [&](Sink& sink) { return read_direct(path, {}, sink, stop_); }, also, stop_);
}

Result<Piped> RealHost::pipe(const Command& from, const Command& to, Sink& also) {
  for (const auto* command : {&from, &to})
    RELAB_ASSERT(!command->argv.empty() && command->secret_input.empty());
  RELAB_ASSERT(to.input.empty());
  if (stop_.stop_requested()) return stopped();
  RELAB_TRY(const auto sender, find_program(from.argv[0]));
  RELAB_TRY(const auto receiver, find_program(to.argv[0]));
  return pipe_processes({.program = sender, .command = from, .path = path_, .input = from.input},
                        {.program = receiver, .command = to, .path = path_, .input = {}}, also,
                        stop_);
}

Result<std::unique_ptr<NewFile>> RealHost::create_file(const Path& path) {
  if (stop_.stop_requested()) return stopped();
  return create_direct(path, stop_);
}

Result<void> RealHost::read_through(const Path& path, const Range& range, Sink& sink) {
  if (stop_.stop_requested()) return stopped();
  return read_direct(path, range, sink, stop_);
}

Result<void> RealHost::copy_database(const Path& database, const Path& copy) {
  if (stop_.stop_requested()) return stopped();
  return store::copy_database(database, copy, stop_);
}

Result<std::string> RealHost::sign(std::string_view payload_type, std::string_view text) {
  if (means_.keys == nullptr) return fail(Fault::unsupported, "there is no key to sign with");
  const auto envelope = sign_payload(*means_.keys, payload_type, bytes_of(text));
  return to_dsse(envelope.reader()).dump() + "\n";
}

Result<std::string> RealHost::ledger_head() {
  if (means_.ledger_head == nullptr || means_.ledger_head->empty())
    return fail(Fault::missing, "the controller has shown no head of its ledger");
  return *means_.ledger_head;
}

Result<Delivery> RealHost::delivery() {
  if (means_.delivery == nullptr)
    return fail(Fault::missing, "nothing came with the order to be handed on");
  return *means_.delivery;
}

Result<Path> RealHost::fetch(const Parcel& parcel) {
  if (stop_.stop_requested()) return stopped();
  if (means_.courier == nullptr) return fail(Fault::unsupported, "nobody brings files here");
  return means_.courier->fetch(parcel);
}

Result<void> RealHost::put_file(const Path& path, const Content& content, const Rights& rights) {
  RELAB_ASSERT(content.text.empty() || content.secret.empty());
  if (stop_.stop_requested()) return stopped();
  if (content.secret.empty()) return place_file(path, content.text, rights);
  RELAB_TRY(const auto secret, find_secret(content.secret));
  return place_file(path, text_of(secret), rights);
}

Result<void> RealHost::put_directory(const Path& path, const Rights& rights) {
  if (stop_.stop_requested()) return stopped();
  return place_directory(path, rights);
}

Result<Reached> RealHost::connect(const Endpoint& endpoint, Millis timeout) {
  if (stop_.stop_requested()) return stopped();
  return dial(endpoint, timeout, stop_);
}

Result<std::vector<std::string>> RealHost::listed_command(const std::string& name) {
  if (means_.commands != nullptr)
    if (const auto found = means_.commands->find(name); found != means_.commands->end())
      return found->second;
  return fail(Fault::refused, fmt::format("no role of this agent lists the command '{}'", name));
}

Result<void> RealHost::remove_file(const Path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR || errno == EPERM)
    return fail(Fault::invalid, fmt::format("{} is no file", path.string()));
  return fail(error_of(errno, path));
}

Result<FileSystem> RealHost::file_system(const Path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return fail(error_of(errno, path));
  return FileSystem{.size = std::uint64_t{info.f_blocks} * info.f_frsize,
                    .free = std::uint64_t{info.f_bavail} * info.f_frsize};
}

Result<std::string> RealHost::read_file(const Path& path, std::size_t size_max) {
  if (stop_.stop_requested()) return stopped();
  // Without blocking: a named pipe that nobody writes to would hold the task for ever.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail(error_of(errno, path));
  std::string text;
  for (;;) {
    const auto size = text.size();
    text.resize(size + chunk_size);
    const auto count = ::read(file.get(), text.data() + size, chunk_size);
    if (count < 0 && errno != EINTR) return fail(error_of(errno, path));
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (text.size() > size_max)
      return fail(Fault::invalid,
                  fmt::format("{} has more than {} bytes", path.string(), size_max));
    if (count == 0) return text;
  }
}

Result<void> RealHost::pause(Millis span, const Waiting& /*waiting*/) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + span;
  for (;;) {
    if (stop_.stop_requested()) return stopped();
    const auto left = std::chrono::ceil<Millis>(until - Clock::now());
    if (left <= Millis(0)) return {};
    std::this_thread::sleep_for(std::min(left, glance));
  }
}

Result<std::vector<std::string>> RealHost::list(const Path& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  // Something is there, unless a part of the way is no directory.
  if (struct stat info{}; error.value() == ENOTDIR && ::stat(path.c_str(), &info) == 0)
    return fail(Fault::invalid, fmt::format("{} is not a directory", path.string()));
  if (error) return fail(error_of(error.value(), path));
  std::ranges::sort(names);
  return names;
}

Result<FileStatus> RealHost::status(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return fail(error_of(errno, path));
  return FileStatus{.type = type_of(info.st_mode),
                    .size = static_cast<std::uint64_t>(info.st_size),
                    .mode = info.st_mode & 07777U,
                    .uid = info.st_uid,
                    .gid = info.st_gid,
                    .major = major(info.st_rdev),
                    .minor = minor(info.st_rdev),
                    .modified = time_of(info.st_mtim),
                    .changed = time_of(info.st_ctim)};
}

Result<std::string> RealHost::read_link(const Path& path) {
  std::error_code error;
  auto target = std::filesystem::read_symlink(path, error);
  if (error.value() == EINVAL)
    return fail(Fault::invalid, fmt::format("{} is not a symbolic link", path.string()));
  if (error) return fail(error_of(error.value(), path));
  return target.string();
}

Result<Path> RealHost::canonical(const Path& path) {
  std::error_code error;
  auto real = std::filesystem::canonical(path, error);
  if (error) return fail(error_of(error.value(), path));
  return real;
}

}  // namespace relab::agent
