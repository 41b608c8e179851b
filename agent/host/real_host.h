#pragma once

/// The machine that the agent runs on.

#include <stop_token>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/host/listed_commands.h"
#include "agent/host/secrets.h"
#include "common/crypto/keys.h"

namespace relab::agent {

/// The PATH of everything the agent runs, whatever its own environment says.
inline constexpr std::string_view pinned_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a task was given for its way; all of it is borrowed, and null is none.
struct Means {
  const Secrets* secrets = nullptr;
  const crypto::Keys* keys = nullptr;
  /// A line of DSSE JSON.
  const std::string* ledger_head = nullptr;
  const ListedCommands* commands = nullptr;
  const Delivery* delivery = nullptr;
  Courier* courier = nullptr;
};

/// One task's hands: a stop request ends its running program, with that program's children, and
/// refuses the next one.
class RealHost final : public Host {
 public:
  explicit RealHost(std::stop_token stop = {}, std::string path = std::string(pinned_path),
                    Means means = {})
      : stop_(std::move(stop)), path_(std::move(path)), means_(means) {}

  Result<Output> run(const Command& command) override;
  Result<Output> stream(const Command& command, Sink& sink) override;
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override;
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override;
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override;
  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override;
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override;
  Result<void> put_directory(const Path& path, const Rights& rights) override;
  Result<Reached> connect(const Endpoint& endpoint, Millis timeout) override;
  Result<std::vector<std::string>> listed_command(const std::string& name) override;
  Result<void> remove_file(const Path& path) override;
  Result<FileSystem> file_system(const Path& path) override;
  void progress(const Advance& /*advance*/) override {}
  Result<std::string> read_file(const Path& path, std::size_t size_max) override;
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override;
  Result<FileStatus> status(const Path& path) override;
  Result<std::string> read_link(const Path& path) override;
  Result<Path> canonical(const Path& path) override;
  Instant now() override { return wall_clock(); }
  Result<void> copy_database(const Path& database, const Path& copy) override;
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override;
  Result<std::string> ledger_head() override;
  Result<Delivery> delivery() override;
  Result<Path> fetch(const Parcel& parcel) override;
  Result<void> pause(Millis span, const Waiting& waiting) override;

 private:
  Result<std::string> find_program(const std::string& name) const;
  Result<ByteView> find_secret(const std::string& name) const;

  std::stop_token stop_;
  std::string path_;
  Means means_;
};

}  // namespace relab::agent
