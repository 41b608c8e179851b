#pragma once

/// One child process: started by argv without a shell, its output gathered, ended with all that it
/// started.

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

struct ProcessSpec {
  /// Absolute.
  std::string program;
  const Command& command;
  /// The value of PATH for the child.
  std::string path;
  /// What it reads; written from where it lies.
  std::string_view input;
};

/// Runs to the end, to the timeout or to the stop request. After either of the last two the child
/// and everything it started, daemons in sessions of their own included, has got SIGTERM and, after
/// two seconds, SIGKILL.
Result<Output> run_process(const ProcessSpec& spec, const std::stop_token& stop);

/// The same with its standard output flowing into `sink`, all of it: Fault::cancelled if it was not
/// at its end in time.
Result<Output> stream_process(const ProcessSpec& spec, Sink& sink, const std::stop_token& stop);

/// Lets all that there is flow into a sink.
using Source = std::function<Result<void>(Sink& sink)>;

/// The same with what flows from `source` as its standard input; `also` takes each piece before it.
/// What it left behind is the result as well where it did not want all of it.
Result<Output> feed_process(const ProcessSpec& spec, const Source& source, Sink& also,
                            const std::stop_token& stop);

/// What `from` prints is the standard input of `to`; `also` takes each piece before it. `from` is
/// ended where `to` wants no more of it. Each has the time of its own command.
Result<Piped> pipe_processes(const ProcessSpec& from, const ProcessSpec& to, Sink& also,
                             const std::stop_token& stop);

}  // namespace relab::agent
