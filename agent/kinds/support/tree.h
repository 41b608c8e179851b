#pragma once

/// A tree of files put together from directories of this machine, as a container sees it: symbolic
/// links stay inside of it.

#include <map>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/place.h"

namespace relab::agent {

/// A file system mounted below a directory of this machine that a bind mount does not take along.
struct Hidden {
  std::string path;  ///< absolute, in the tree: where it would be
  Path mount_point;  ///< on this machine
};

/// A directory of this machine that stands at `path` in the tree.
struct Mapping {
  std::string path;  ///< absolute, in the tree
  Path source;       ///< empty: something that this machine cannot see is mounted there
  std::vector<Hidden> hidden = {};
};

/// Looks at a directory once, however many patterns lead through it: it is for one look at the
/// machine.
class Tree {
 public:
  /// One mapping must be of "/".
  Tree(Host& host, std::vector<Mapping> mappings);

  /// Where a path of the tree really lies on this machine, every link followed within the tree.
  /// Fault::missing if there is nothing, or if it lies on what this machine cannot see;
  /// Fault::damaged if it lies on what is hidden: this machine has other files there than the tree.
  Result<Path> resolve(const std::string& path);
  Gathered gather(const Wanted& wanted);

 private:
  Result<Path> source_of(const Path& path) const;
  const Result<FileStatus>& status_of(const Path& source);
  const Result<std::vector<std::string>>& names_in(const Path& source);
  std::vector<std::string> expand(const std::string& pattern, Gathered& gathered);
  void read(const std::string& path, Gathered& gathered);

  Host& host_;
  std::vector<Mapping> mappings_;  ///< the longest path first
  std::map<Path, Result<FileStatus>> seen_;
  std::map<Path, Result<std::vector<std::string>>> listed_;
};

/// Whether a name matches a pattern in which '*' stands for anything.
bool matches(std::string_view name, std::string_view pattern);
/// The same for each name of a path.
bool matches_path(std::string_view path, std::string_view pattern);

}  // namespace relab::agent
