#include "agent/host/observed_host.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t log_lines_max = 200;
constexpr std::size_t log_line_max = 400;
constexpr auto told_interval = Millis(200);

}  // namespace

std::string ObservedHost::begin(const Command& command) {
  const auto text = fmt::format("{}", fmt::join(command.argv, " "));
  // Scripts have lines; a log has one for each command.
  auto line = clean_text(fmt::format("{}", fmt::join(words(text), " ")).substr(0, log_line_max));
  ++steps_;
  tell_({.done = steps_, .unit = "steps", .what = waiting_.what.empty() ? line : waiting_.what},
        waiting_.for_person);
  return line;
}

void ObservedHost::note(const std::string& line, Instant begun, const Result<Output>& output) {
  const auto took = human(inner().now() - begun);
  if (log_.size() == log_lines_max) log_.erase(log_.begin());
  log_.push_back(output ? fmt::format("{}: exit {}, {} bytes, {}{}", line, output->status,
                                      output->out.size(), took, output->truncated ? ", cut" : "")
                        : fmt::format("{}: {}", line, clean_text(output.error().what)));
}

Result<Output> ObservedHost::run(const Command& command) {
  const auto line = begin(command);
  const auto begun = inner().now();
  auto output = inner().run(command);
  note(line, begun, output);
  return output;
}

Result<Output> ObservedHost::stream(const Command& command, Sink& sink) {
  const auto line = begin(command);
  const auto begun = inner().now();
  auto output = inner().stream(command, sink);
  note(line, begun, output);
  return output;
}

Result<Output> ObservedHost::feed(const Path& path, const Command& command, Sink& also) {
  const auto line = begin(command);
  const auto begun = inner().now();
  auto output = inner().feed(path, command, also);
  note(line, begun, output);
  return output;
}

Result<Piped> ObservedHost::pipe(const Command& from, const Command& to, Sink& also) {
  const auto receiver = begin(to);
  const auto sender = begin(from);
  const auto begun = inner().now();
  auto piped = inner().pipe(from, to, also);
  note(sender, begun, piped.map(&Piped::from));
  note(receiver, begun, piped.map(&Piped::to));
  return piped;
}

void ObservedHost::progress(const Advance& advance) {
  const auto now = inner().now();
  // Also after the clock was set back.
  if (now >= told_ && now - told_ < told_interval) return;
  told_ = now;
  tell_(advance, {});
}

Result<Path> ObservedHost::fetch(const Parcel& parcel) {
  const auto line = fmt::format("fetching {} ({}) from the controller", clean_text(parcel.name),
                                human_bytes(parcel.size));
  tell_({.done = ++steps_, .unit = "steps", .what = line}, {});
  const auto begun = inner().now();
  auto fetched = inner().fetch(parcel);
  if (log_.size() == log_lines_max) log_.erase(log_.begin());
  log_.push_back(fetched ? fmt::format("{}: done, {}", line, human(inner().now() - begun))
                         : fmt::format("{}: {}", line, clean_text(fetched.error().what)));
  return fetched;
}

Result<void> ObservedHost::pause(Millis span, const Waiting& waiting) {
  waiting_ = waiting;
  tell_({.done = steps_, .unit = "steps", .what = waiting_.what}, waiting_.for_person);
  return inner().pause(span, waiting);
}

}  // namespace relab::agent
