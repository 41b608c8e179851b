#pragma once

/// A host that hands everything on to another one: for hosts that change some of it.

#include "agent/host/host.h"

namespace relab::agent {

class ForwardingHost : public Host {
 public:
  /// Borrows the host.
  explicit ForwardingHost(Host& host) : host_(host) {}

  Result<Output> run(const Command& command) override { return host_.run(command); }
  Result<Output> stream(const Command& command, Sink& sink) override {
    return host_.stream(command, sink);
  }
  Result<Output> feed(const Path& path, const Command& command, Sink& also) override {
    return host_.feed(path, command, also);
  }
  Result<Piped> pipe(const Command& from, const Command& to, Sink& also) override {
    return host_.pipe(from, to, also);
  }
  Result<std::unique_ptr<NewFile>> create_file(const Path& path) override {
    return host_.create_file(path);
  }
  Result<void> read_through(const Path& path, const Range& range, Sink& sink) override {
    return host_.read_through(path, range, sink);
  }
  using Host::read_through;
  Result<void> put_file(const Path& path, const Content& content, const Rights& rights) override {
    return host_.put_file(path, content, rights);
  }
  Result<void> put_directory(const Path& path, const Rights& rights) override {
    return host_.put_directory(path, rights);
  }
  Result<Reached> connect(const Endpoint& endpoint, Millis timeout) override {
    return host_.connect(endpoint, timeout);
  }
  Result<std::vector<std::string>> listed_command(const std::string& name) override {
    return host_.listed_command(name);
  }
  Result<void> remove_file(const Path& path) override { return host_.remove_file(path); }
  Result<FileSystem> file_system(const Path& path) override { return host_.file_system(path); }
  void remark(const std::string& text) override { host_.remark(text); }
  void progress(const Advance& advance) override { host_.progress(advance); }
  Result<std::string> read_file(const Path& path, std::size_t size_max) override {
    return host_.read_file(path, size_max);
  }
  using Host::read_file;
  Result<std::vector<std::string>> list(const Path& path) override { return host_.list(path); }
  Result<FileStatus> status(const Path& path) override { return host_.status(path); }
  Result<std::string> read_link(const Path& path) override { return host_.read_link(path); }
  Result<Path> canonical(const Path& path) override { return host_.canonical(path); }
  Instant now() override { return host_.now(); }
  Result<void> copy_database(const Path& database, const Path& copy) override {
    return host_.copy_database(database, copy);
  }
  Result<std::string> sign(std::string_view payload_type, std::string_view text) override {
    return host_.sign(payload_type, text);
  }
  Result<std::string> ledger_head() override { return host_.ledger_head(); }
  Result<Delivery> delivery() override { return host_.delivery(); }
  Result<Path> fetch(const Parcel& parcel) override { return host_.fetch(parcel); }
  Result<void> pause(Millis span, const Waiting& waiting) override {
    return host_.pause(span, waiting);
  }

 protected:
  Host& inner() { return host_; }

 private:
  Host& host_;
};

}  // namespace relab::agent
