#pragma once

/// What another `relab` asks of the one that holds the lab: small files in the state directory,
/// since only one process may write the ledger.

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "common/base/id.h"
#include "common/base/result.h"

namespace relab::controller {

/// End this task, or this run with all its tasks.
using CancelTarget = std::variant<TaskId, RunId>;

/// Requests that wait.
struct Waiting {
  struct Request {
    CancelTarget target;
    std::filesystem::path file;
  };
  std::vector<Request> requests;
  /// What could not be read: file and reason.
  std::vector<std::string> problems;
};

class Requests {
 public:
  explicit Requests(std::filesystem::path state_dir) : folder_(std::move(state_dir)) {}

  /// Leaves a request; the file is gone once it was taken.
  Result<std::filesystem::path> post(const CancelTarget& target) const;
  /// What was left; each stays until it is settled. What cannot be read is removed.
  Result<Waiting> waiting() const;
  /// It stands in the ledger, or there is nothing to do about it.
  static Result<void> settled(const Waiting::Request& request);

 private:
  std::filesystem::path folder_;
};

}  // namespace relab::controller
