#pragma once

/// tar over the files of a simulated machine: its streams are true archives.

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

class SimTar {
 public:
  /// Keeps a pointer to the host. Where it is asked for `pct exec VMID`, it is the same files.
  void install(SimHost& machine) {
    host_ = &machine;
    machine.program("tar", [this](const Command& command) { return run(command.argv, command); });
    machine.program("pct", [this](const Command& command) { return pct(command); });
    machine.program("systemctl",
                    [this](const Command& command) { return systemctl(command.argv); });
    machine.program("systemd-run", Output{});
    machine.program("mkdir", Output{});
    machine.program("mv", [this](const Command& command) { return move(command.argv); });
    machine.program("rm", [this](const Command& command) { return remove(command.argv.back()); });
  }

  /// What tar says, and ends with, beside a whole stream.
  std::string words = {};
  int status = 0;
  /// Of every unit.
  std::string load_state = "loaded";
  std::string active_state = "active";
  /// After a start.
  std::string comes_to = "active";
  /// Bytes that are missing at the end of its stream.
  std::size_t cut = 0;
  /// What happens on the machine as soon as an archive was read from it.
  std::function<void()> meanwhile = {};

 private:
  static void add_file(::archive* archive, const std::string& name, const std::string& content,
                       const FileStatus& kind) {
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, kind.type == FileType::directory ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, kind.mode);
    archive_entry_set_uid(entry, kind.uid);
    archive_entry_set_gid(entry, kind.gid);
    archive_entry_set_mtime(entry, kind.modified.time_since_epoch().count() / 1000, 0);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_write_header(archive, entry);
    if (!content.empty()) archive_write_data(archive, content.data(), content.size());
    archive_entry_free(entry);
  }

  Output pct(const Command& command) {
    const auto begin = std::ranges::find(command.argv, "LC_ALL=C.UTF-8");
    std::vector<std::string> argv(begin == command.argv.end() ? begin : begin + 1,
                                  command.argv.end());
    if (argv.empty()) return {.status = 2, .err = "400 not enough arguments\n"};
    if (argv[0] == "tar") return run(argv, command);
    if (argv[0] == "systemctl") return systemctl(argv);
    if (argv[0] == "stat") return stat(argv);
    if (argv[0] == "cat") return {.out = must(host_->read_file(argv[1]))};
    return {};
  }
  Output systemctl(const std::vector<std::string>& argv) {
    if (argv[1] == "show")
      return {.out = "ActiveState=" + active_state + "\nLoadState=" + load_state + "\n"};
    if (argv[1] == "start") active_state = comes_to;
    return {};
  }
  Output stat(const std::vector<std::string>& argv) const {
    Output output;
    for (std::size_t i = 3; i < argv.size(); ++i) {
      if (host_->status(argv[i]))
        output.out += argv[i] + "\n";
      else
        output.status = 1;
    }
    return output;
  }

  Output run(const std::vector<std::string>& argv, const Command& command) {
    const bool creates = std::ranges::find(argv, "--create") != argv.end();
    return creates ? create(argv) : extract(argv, command.input);
  }

  void add(::archive* archive, const std::string& root, const std::string& path,
           const std::vector<std::string>& excluded, const std::string& prefix) const {
    const auto member = "." + path;
    if (std::ranges::find(excluded, member) != excluded.end()) return;
    const auto full = root == "/" ? path : root + path;
    const auto kind = must(host_->status(full));
    auto name = member;
    if (!prefix.empty() && name.starts_with(prefix)) name = "." + name.substr(prefix.size());
    if (kind.type != FileType::directory)
      return add_file(archive, name, must(host_->read_file(full)), kind);
    add_file(archive, name + "/", "", kind);
    for (const auto& child : must(host_->list(full)))
      add(archive, root, path + "/" + child, excluded, prefix);
  }

  Output create(const std::vector<std::string>& argv) const {
    std::string stream;
    std::string root = "/";
    std::string prefix;
    std::vector<std::string> excluded;
    auto* archive = archive_write_new();
    archive_write_set_format_pax_restricted(archive);
    archive_write_open(
        archive, &stream, nullptr,
        [](::archive*, void* text, const void* bytes, std::size_t size) {
          static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), size);
          return static_cast<la_ssize_t>(size);
        },
        nullptr);
    bool names = false;
    for (const auto& word : argv) {
      if (names) add(archive, root, word.substr(1), excluded, prefix);
      if (word == "--") names = true;
      if (word.starts_with("--directory=")) root = word.substr(12);
      if (word.starts_with("--exclude=")) excluded.push_back(word.substr(10));
      if (word.starts_with("--transform=s,^[.]")) prefix = plain("." + word.substr(18));
    }
    archive_write_close(archive);
    archive_write_free(archive);
    stream.resize(stream.size() - std::min(cut, stream.size()));
    if (meanwhile) meanwhile();
    return {.status = status, .out = stream, .err = words};
  }
  /// "/mnt/relab-databases[.]part,.," is of "/mnt/relab-databases.part".
  static std::string plain(std::string pattern) {
    pattern.resize(pattern.find(','));
    for (auto at = pattern.find("[.]"); at != std::string::npos; at = pattern.find("[.]"))
      pattern.replace(at, 3, ".");
    return pattern;
  }

  Output extract(const std::vector<std::string>& argv, const std::string& input) {
    std::string root;
    std::vector<std::string> members;
    std::vector<std::string> excluded;
    bool names = false;
    const bool keeps = std::ranges::find(argv, "--skip-old-files") != argv.end();
    for (const auto& word : argv) {
      if (names) members.push_back(word);
      if (word == "--") names = true;
      if (word.starts_with("--directory=")) root = word.substr(12);
      if (word.starts_with("--exclude=")) excluded.push_back(word.substr(10));
    }
    auto* archive = archive_read_new();
    archive_read_support_filter_zstd(archive);
    archive_read_support_format_tar(archive);
    archive_read_open_memory(archive, input.data(), input.size());
    archive_entry* entry = nullptr;
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
      std::string name = archive_entry_pathname(entry);
      if (name.ends_with('/')) name.pop_back();
      if (std::ranges::find(excluded, name) != excluded.end()) continue;
      if (!members.empty() && std::ranges::none_of(members, [&](const auto& member) {
            return name == member || name.starts_with(member + "/");
          }))
        continue;
      put(archive, entry, (root == "/" ? "" : root) + name.substr(1), keeps);
    }
    archive_read_free(archive);
    return {.status = status, .err = words};
  }
  void put(::archive* archive, archive_entry* entry, const std::string& path, bool keeps) {
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    if (!content.empty()) archive_read_data(archive, content.data(), content.size());
    const bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (folder) return host_->directory(path);
    if (keeps && host_->status(path)) return;
    host_->file(path, content,
                {.type = FileType::regular,
                 .size = content.size(),
                 .mode = static_cast<std::uint32_t>(archive_entry_perm(entry)),
                 .uid = static_cast<std::uint32_t>(archive_entry_uid(entry)),
                 .gid = static_cast<std::uint32_t>(archive_entry_gid(entry)),
                 .modified = Instant(std::chrono::seconds(archive_entry_mtime(entry)))});
  }
  Output move(const std::vector<std::string>& argv) {
    const auto& from = argv.at(argv.size() - 2);
    const auto kind = host_->status(from);
    if (!kind) return {.status = 1, .err = "mv: cannot stat '" + from + "'\n"};
    host_->file(argv.back(), must(host_->read_file(from)), *kind);
    host_->remove(from);
    return {};
  }
  Output remove(const std::string& path) {
    if (const auto names = host_->list(path))
      for (const auto& name : *names) remove(path + "/" + name);
    host_->remove(path);
    return {};
  }

  SimHost* host_ = nullptr;
};

}  // namespace relab::agent
