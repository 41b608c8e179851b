#pragma once

/// What a section of the audit could not see, gathered while it looks, and tools whose failure is
/// an error with a name.

#include <string>
#include <vector>

#include "agent/host/host.h"
#include "schema/coverage.capnp.h"

namespace relab::agent {

/// Gathers the gaps of one section; `store` puts them into its facts.
class Gaps {
 public:
  /// The whole section does not exist here: "no zpool on this machine".
  void all_absent(std::string why) { absent_ = std::move(why); }
  /// A part that does not exist here.
  void absent(std::string part, std::string why) {
    parts_.push_back({std::move(part), std::move(why)});
  }
  /// A part that exists, or may exist, and could not be read: it keeps the gate shut.
  void problem(std::string part, std::string why) {
    problems_.push_back({std::move(part), std::move(why)});
  }
  void problem(std::string part, const Error& error) { problem(std::move(part), error.sentence()); }

  bool has_problems() const { return !problems_.empty(); }
  void store(schema::Coverage::Builder coverage) const;

 private:
  struct Gap {
    std::string part;
    std::string why;
  };
  std::string absent_;
  std::vector<Gap> parts_;
  std::vector<Gap> problems_;
};

/// The standard output of a program that must exit with 0 and be captured whole. Fault::missing if
/// the program is not there; otherwise Fault::damaged with the command, its status and the first
/// line of its own words.
Result<std::string> output_of(Host& host, const Command& command);

/// A program that must exit with 0, and whose output means nothing. Faults as of `output_of`.
Result<void> must_run(Host& host, const Command& command);

/// The first line of what a program said, for an error's sentence.
std::string first_words(const Output& output);

}  // namespace relab::agent
