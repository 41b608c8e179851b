#pragma once

/// What each agent said of itself when it last answered: for people who look at a list of agents,
/// and evidence of nothing.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/wire/envelope.h"
#include "controller/run/session.h"

namespace relab::controller {

class Greetings {
 public:
  struct Said {
    Instant seen = {};
    /// Of the key that it signed with: another agent may have its name by now.
    std::string fingerprint;
    std::string version;
    std::string role;
    /// Task kinds that its role permits, as arms of the Task union.
    std::vector<std::string> kinds;
  };

  /// In the file `greetings.json` of this folder.
  explicit Greetings(const std::filesystem::path& folder) : file_(folder / "greetings.json") {}

  /// By the agents' names; nothing where there is no such file, or where it says nothing.
  std::map<std::string, Said> read() const;
  /// Faults of `replace_file`.
  Result<void> note(const std::string& agent, const crypto::PublicKey& key,
                    const Greeting& greeting, Instant now) const;

 private:
  std::filesystem::path file_;
};

}  // namespace relab::controller
