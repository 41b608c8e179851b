#pragma once

/// A file system to look for services in: that of this machine, of a running container, or of one
/// that is stopped.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/docker.h"

namespace relab::agent {

/// Files to read and names to look for. Absolute paths; '*' stands for any part of one name, unless
/// they are to be taken literally.
struct Wanted {
  std::vector<std::string> contents;
  std::vector<std::string> names;
  bool literal = false;
};

/// What was found of it. What does not exist is nowhere here.
struct Gathered {
  std::map<std::string, std::string> contents;    ///< of regular files
  std::set<std::string> names;                    ///< of anything
  std::map<std::string, std::string> unreadable;  ///< path or pattern, and why

  void add(Gathered more);
};

/// Bytes of one file that a place reads at most; larger ones count as unreadable.
inline constexpr std::size_t gathered_size_max = std::size_t{512} << 10U;

class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  /// "this machine", "container 130 (sonarr)".
  virtual std::string title() const = 0;
  /// 0: this machine.
  virtual std::uint32_t vmid() const = 0;
  virtual bool running() const = 0;
  virtual Result<Gathered> gather(const Wanted& wanted) = 0;
  /// Runs a program there. Fault::unsupported where nothing runs.
  virtual Result<Output> run(std::vector<std::string> argv) = 0;
  /// Every container of a Docker engine there; absent where none is.
  virtual Result<DockerView> docker() = 0;
  /// The same file or directory as seen from this machine, without symbolic links; Fault::missing
  /// or ::unsupported where this machine does not see it; any other fault is a problem, such as a
  /// file system of this machine that the place does not see.
  virtual Result<Path> on_host(const std::string& path) = 0;
};

}  // namespace relab::agent
