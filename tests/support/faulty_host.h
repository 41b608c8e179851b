#pragma once

/// A host that notes every call that goes through it, and fails one of them.

#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// How a call fails.
enum class Failing {
  error,   ///< as if the machine could not do it
  status,  ///< a program ends with an exit status of its own and says nothing on its output
  cut,     ///< a program's output is longer than we take, and cut off after half
};

class FaultyHost final : public Host {
 public:
  static constexpr std::string_view mark = "injected-failure";

  /// Borrows the host. Fails the call with this number, from 0; none without a number.
  explicit FaultyHost(Host& host, std::optional<std::size_t> failing = {},
                      Failing how = Failing::error)
      : host_(host), failing_(failing), how_(how) {}

  /// Every call so far: "run zpool list", "read /etc/passwd".
  const std::vector<std::string>& calls() const { return calls_; }
  /// The number was reached, and the failure was of a kind that this call can have.
  bool failed() const { return failed_; }

  Result<Output> run(const Command& command) override {
    const auto line = fmt::format("run {}", fmt::join(command.argv, " "));
    if (!is_next(line, true)) return host_.run(command);
    if (how_ == Failing::error) return error();
    auto output = host_.run(command);
    if (!output) return output;
    failed_ = true;
    if (how_ == Failing::status) return Output{.status = 7, .err = std::string(mark) + "\n"};
    output->out.resize(output->out.size() / 2);
    output->truncated = true;
    return output;
  }
  Result<Output> stream(const Command& command, Sink& sink) override {
    const auto line = fmt::format("run {}", fmt::join(command.argv, " "));
    if (!is_next(line, true)) return host_.stream(command, sink);
    if (how_ == Failing::error) return error();
    failed_ = true;
    if (how_ == Failing::status) return Output{.status = 7, .err = std::string(mark) + "\n"};
    // Half of it flows, and the program says that all is well.
    Half half(sink);
    return host_.stream(command, half);
  }
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override {
    const auto line = fmt::format("run {} < {}", fmt::join(command.argv, " "), path.string());
    if (!is_next(line, true)) return host_.feed(path, command, also);
    if (how_ == Failing::error) return error();
    failed_ = true;
    if (how_ == Failing::status) return Output{.status = 7, .err = std::string(mark) + "\n"};
    Half half(also);
    return host_.feed(path, command, half);
  }
  /// The second program is the one whose status is bad, after all that the first one sent.
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override {
    const auto line =
        fmt::format("run {} | {}", fmt::join(from.argv, " "), fmt::join(to.argv, " "));
    if (!is_next(line, true)) return host_.pipe(from, to, also);
    if (how_ == Failing::error) return error();
    failed_ = true;
    if (how_ == Failing::status)
      return Piped{.from = {}, .to = {.status = 7, .err = std::string(mark) + "\n"}};
    Half half(also);
    return host_.pipe(from, to, half);
  }
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override {
    if (is_next("create " + path.string())) return error();
    return host_.create_file(path);
  }
  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override {
    if (is_next("read through " + path.string())) return error();
    return host_.read_through(path, range, sink);
  }
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override {
    if (is_next("put file " + path.string())) return error();
    return host_.put_file(path, content, rights);
  }
  Result<void> put_directory(const Path& path, const Rights& rights) override {
    if (is_next("put directory " + path.string())) return error();
    return host_.put_directory(path, rights);
  }
  Result<Reached> connect(const Endpoint& endpoint, Millis timeout) override {
    if (is_next(fmt::format("connect {} {}", endpoint.address, endpoint.port))) return error();
    return host_.connect(endpoint, timeout);
  }
  Result<std::vector<std::string>> listed_command(const std::string& name) override {
    if (is_next("listed command " + name)) return error();
    return host_.listed_command(name);
  }
  Result<void> remove_file(const Path& path) override {
    if (is_next("remove " + path.string())) return error();
    return host_.remove_file(path);
  }
  Result<FileSystem> file_system(const Path& path) override {
    if (is_next("room of " + path.string())) return error();
    return host_.file_system(path);
  }
  void progress(const Advance& advance) override { host_.progress(advance); }
  Result<std::string> read_file(const Path& path, std::size_t size_max) override {
    if (is_next("read " + path.string())) return error();
    return host_.read_file(path, size_max);
  }
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override {
    if (is_next("list " + path.string())) return error();
    return host_.list(path);
  }
  Result<FileStatus> status(const Path& path) override {
    if (is_next("status " + path.string())) return error();
    return host_.status(path);
  }
  Result<std::string> read_link(const Path& path) override {
    if (is_next("link " + path.string())) return error();
    return host_.read_link(path);
  }
  Result<Path> canonical(const Path& path) override {
    if (is_next("canonical " + path.string())) return error();
    return host_.canonical(path);
  }
  Instant now() override { return host_.now(); }
  Result<void> copy_database(const Path& database, const Path& copy) override {
    if (is_next("copy database " + database.string())) return error();
    return host_.copy_database(database, copy);
  }
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override {
    if (is_next(fmt::format("sign {}", payload_type))) return error();
    return host_.sign(payload_type, text);
  }
  Result<std::string> ledger_head() override {
    if (is_next("ledger head")) return error();
    return host_.ledger_head();
  }
  Result<Delivery> delivery() override {
    if (is_next("delivery")) return error();
    return host_.delivery();
  }
  Result<Path> fetch(const Parcel& parcel) override {
    if (is_next("fetch " + parcel.name)) return error();
    return host_.fetch(parcel);
  }
  Result<void> pause(Millis span, const Waiting& waiting) override {
    if (is_next("pause for " + waiting.what)) return error();
    return host_.pause(span, waiting);
  }

 private:
  /// Every other piece is lost.
  class Half final : public Sink {
   public:
    explicit Half(Sink& sink) : sink_(sink) {}
    Result<void> take(ByteView piece) override {
      passes_ = !passes_;
      return passes_ ? sink_.take(piece) : Result<void>();
    }

   private:
    Sink& sink_;
    bool passes_ = false;
  };
  bool is_next(const std::string& call, bool is_program = false) {
    calls_.push_back(call);
    return failing_ == calls_.size() - 1 && (is_program || how_ == Failing::error);
  }
  tl::unexpected<Error> error() {
    failed_ = true;
    return fail(Fault::damaged, std::string(mark));
  }

  Host& host_;
  std::optional<std::size_t> failing_;
  Failing how_;
  bool failed_ = false;
  std::vector<std::string> calls_;
};

}  // namespace relab::agent
