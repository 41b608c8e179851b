#include "agent/host/observed_host.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t log_lines_max = 200;
constexpr std::size_t log_line_max = 400;

}  // namespace

Result<Output> ObservedHost::run(const Command& command) {
  const auto line =
      clean_text(fmt::format("{}", fmt::join(command.argv, " ")).substr(0, log_line_max));
  ++steps_;
  tell_(steps_, waiting_.what.empty() ? Waiting{.what = line} : waiting_);
  const auto begun = host_.now();
  auto output = host_.run(command);
  const auto took = human(host_.now() - begun);
  if (log_.size() == log_lines_max) log_.erase(log_.begin());
  log_.push_back(output ? fmt::format("{}: exit {}, {} bytes, {}{}", line, output->status,
                                      output->out.size(), took, output->truncated ? ", cut" : "")
                        : fmt::format("{}: {}", line, clean_text(output.error().what)));
  return output;
}

Result<void> ObservedHost::pause(Millis span, const Waiting& waiting) {
  waiting_ = waiting;
  tell_(steps_, waiting_);
  return host_.pause(span, waiting);
}

}  // namespace relab::agent
