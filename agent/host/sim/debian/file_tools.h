#pragma once

/// The small programs that work on files, over those of a simulated machine.

#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// cat, stat, readlink, mkdir, rm, rmdir, cp, mv, cmp, sha256sum, sha512sum, test, true, false,
/// uname, hostname. With their own words where something is wrong.
class FileTools {
 public:
  explicit FileTools(SimHost& host);

 private:
  using Words = std::vector<std::string>;
  /// Options, and what is behind them.
  struct Parted {
    Words options = {};
    Words names = {};

    bool has(const std::string& option) const;
    /// "--bytes=4096"; empty without.
    std::string value(const std::string& option) const;
    /// Whether there is an option that is none of these; those that end in '=' have a value.
    bool has_others(const Words& known) const;
  };
  static Parted part(const Words& argv, const Words& with_value = {});
  void program(const std::string& name, Result<Output> (FileTools::*run)(const Command&));

  Result<Output> cat(const Command& command);
  Result<Output> stat(const Command& command);
  Result<Output> readlink(const Command& command);
  std::string target_of(const Path& link);
  std::string canonical_of(const Path& path);
  std::string lenient_path_of(const Path& path);
  Result<Output> mkdir(const Command& command);
  Result<Output> rm(const Command& command);
  Result<Output> rmdir(const Command& command);
  Result<Output> copy(const Command& command);
  Result<Output> move(const Command& command);
  Result<Output> cmp(const Command& command);
  Result<Output> digest(const Command& command);
  Result<Output> test(const Command& command);
  Result<Output> uname(const Command& command);
  Result<Output> hostname(const Command& command);

  Result<std::string> content_of(const std::string& path, const Command& command);
  Output make_folder(const Path& path, const Parted& parted);
  void remove_tree(const Path& path);
  void copy_tree(const Path& from, const Path& to);
  bool is_mount_point(const Path& path) const;

  SimHost& host_;
};

}  // namespace relab::agent::sim
