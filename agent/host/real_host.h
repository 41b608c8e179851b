#pragma once

/// The machine that the agent runs on.

#include <stop_token>
#include <string>

#include "agent/host/host.h"

namespace relab::agent {

/// The PATH of everything the agent runs, whatever its own environment says.
inline constexpr std::string_view pinned_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One task's hands: a stop request ends its running program, with that program's children, and
/// refuses the next one.
class RealHost final : public Host {
 public:
  explicit RealHost(std::stop_token stop = {}, std::string path = std::string(pinned_path))
      : stop_(std::move(stop)), path_(std::move(path)) {}

  Result<Output> run(const Command& command) override;
  Result<std::string> read_file(const Path& path, std::size_t size_max) override;
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override;
  Result<FileStatus> status(const Path& path) override;
  Result<std::string> read_link(const Path& path) override;
  Result<Path> canonical(const Path& path) override;
  Instant now() override { return wall_clock(); }
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  Result<std::string> find_program(const std::string& name) const;

  std::stop_token stop_;
  std::string path_;
};

}  // namespace relab::agent
