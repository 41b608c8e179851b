#pragma once

/// A host that tells what each program was asked, and what it answered: a line of JSON each.

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "agent/host/forwarding_host.h"
#include "agent/kinds/support/json.h"

namespace relab::conformance {

using agent::Json;

class TellingHost final : public agent::ForwardingHost {
 public:
  using Tell = std::function<void(Json)>;
  /// By their names, as if they had come with an order.
  using Secrets = std::map<std::string, std::string, std::less<>>;
  /// Borrows the host.
  TellingHost(Host& host, Tell tell, Secrets secrets = {})
      : ForwardingHost(host), tell_(std::move(tell)), secrets_(std::move(secrets)) {}

  Result<agent::Output> run(const agent::Command& command) override {
    auto opened = command;
    if (const auto secret = secrets_.find(command.secret_input); secret != secrets_.end()) {
      opened.input = secret->second;
      opened.secret_input.clear();
    }
    auto output = inner().run(opened);
    tell(command, output);
    return output;
  }
  Result<agent::Output> stream(const agent::Command& command, agent::Sink& sink) override {
    auto output = inner().stream(command, sink);
    tell(command, output);
    return output;
  }
  Result<agent::Output> feed(const agent::Path& path, const agent::Command& command,
                             agent::Sink& also) override {
    auto output = inner().feed(path, command, also);
    tell(command, output);
    return output;
  }
  Result<agent::Piped> pipe(const agent::Command& from, const agent::Command& to,
                            agent::Sink& also) override {
    auto piped = inner().pipe(from, to, also);
    if (piped) {
      tell(from, piped->from);
      tell(to, piped->to);
    } else {
      tell(from, fail(piped.error()));
    }
    return piped;
  }

 private:
  void tell(const agent::Command& command, const Result<agent::Output>& output) {
    const auto before = std::exchange(before_, now());
    Json line = {{"argv", command.argv}, {"ms", (before_ - before).count()}};
    if (output) {
      line["status"] = output->status;
      line["out"] = output->out;
      line["err"] = output->err;
    } else {
      line["fault"] = name(output.error().fault);
      line["what"] = output.error().what;
    }
    tell_(std::move(line));
  }

  Tell tell_;
  Secrets secrets_;
  /// The one before ended.
  Instant before_ = now();
};

}  // namespace relab::conformance
