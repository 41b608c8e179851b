#include "agent/kinds/archive/source.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

/// Nothing that a home lab has takes longer; the step's own deadline ends it sooner.
constexpr auto tar_time_max = std::chrono::hours(24 * 7);

std::string member(const std::string& path) { return "." + path; }

/// A folder's name has no other sign that means something in a regular expression of sed.
std::string as_pattern(std::string_view path) {
  std::string pattern;
  for (const auto sign : path) pattern += sign == '.' ? "[.]" : std::string(1, sign);
  return pattern;
}

/// "tar: ./etc/x: what" is of "/etc/x".
std::optional<std::string> path_before(std::string_view line, std::string_view what) {
  constexpr std::string_view who = "tar: .";
  if (!line.starts_with(who) || !line.ends_with(what)) return {};
  return std::string(line.substr(who.size(), line.size() - who.size() - what.size()));
}

Result<std::vector<Path>> mount_points_of(Host& host, const Source& source) {
  if (source.vmid == 0) return mount_points(host);
  RELAB_TRY(const auto text,
            output_of(host, {.argv = source.command({"cat", "/proc/self/mountinfo"})}));
  return parse_mountinfo(text);
}

bool is_in(const std::vector<std::string>& folders, std::string_view path) {
  return std::ranges::any_of(folders,
                             [&](const auto& folder) { return is_at_or_below(path, folder); });
}

}  // namespace

bool Source::has(std::string_view path) const {
  return is_in(paths, path) && !is_in(exclude, path);
}

std::string Source::title() const {
  return vmid == 0 ? "this machine" : fmt::format("container {}", vmid);
}

std::vector<std::string> Source::command(std::vector<std::string> argv) const {
  if (vmid == 0) return argv;
  auto all = inside(vmid);
  // What it says is read.
  all.insert(all.end(), {"env", "LC_ALL=C.UTF-8"});
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

Command tar_of(const Source& source, const Copies& copies) {
  std::vector<std::string> argv = {
      "tar",
      "--create",
      "--format=posix",
      "--pax-option=delete=atime,delete=ctime",
      "--sort=name",
      "--numeric-owner",
      "--acls",
      "--xattrs",
      "--xattrs-include=*",
      "--sparse",
      "--one-file-system",
      "--anchored",
      "--no-wildcards",
  };
  for (const auto& path : source.exclude) argv.push_back("--exclude=" + member(path));
  for (const auto& database : copies.databases)
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"})
      argv.push_back("--exclude=" + member(database) + suffix);
  if (!copies.databases.empty())
    argv.push_back(fmt::format("--transform=s,^[.]{},.,", as_pattern(copies.place().string())));
  argv.push_back("--directory=" + source.root);
  argv.emplace_back("--");
  for (const auto& path : source.paths) argv.push_back(member(path));
  for (const auto& database : copies.databases)
    argv.push_back(member(copies.of(database).string()));
  return {.argv = source.command(std::move(argv)), .timeout = tar_time_max};
}

Result<std::vector<std::string>> missing_of(Host& host, const Source& source) {
  std::vector<std::string> missing;
  if (source.vmid == 0) {
    for (const auto& path : source.paths) {
      const auto status = host.status(path);
      if (!status && status.error().fault != Fault::missing) return fail(status.error());
      if (!status) missing.push_back(path);
    }
    return missing;
  }
  std::vector<std::string> argv = {"stat", "--format=%n", "--"};
  argv.insert(argv.end(), source.paths.begin(), source.paths.end());
  RELAB_TRY(const auto output, host.run({.argv = source.command(std::move(argv))}));
  std::set<std::string, std::less<>> there;
  for (const auto line : lines(output.out)) there.emplace(line);
  for (const auto& path : source.paths)
    if (!there.contains(path)) missing.push_back(path);
  // It ends with 1 if any is missing, and with anything else if nobody looked.
  if (output.truncated || (output.status != 0) != !missing.empty() || output.status > 1)
    return fail(Fault::damaged, fmt::format("{} cannot be looked into: stat ended with {}: {}",
                                            source.title(), output.status, first_words(output)));
  return missing;
}

namespace {

/// The path with every link resolved; empty: it is no link itself.
Result<std::string> target_of(Host& host, const Source& source, const std::string& path) {
  if (source.vmid == 0) {
    RELAB_TRY(const auto status, host.status(path));
    if (status.type != FileType::symlink) return std::string();
    RELAB_TRY(const auto target, host.canonical(path));
    return target.string();
  }
  RELAB_TRY(const auto type,
            output_of(host, {.argv = source.command({"stat", "--format=%F", "--", path})}));
  if (trim(type) != "symbolic link") return std::string();
  RELAB_TRY(const auto target,
            output_of(host, {.argv = source.command({"readlink", "--canonicalize", "--", path})}));
  return std::string(trim(target));
}

}  // namespace

Result<void> check_links(Host& host, const Source& source) {
  for (const auto& path : source.paths) {
    RELAB_TRY(const auto target,
              target_of(host, source, path).during("looking where " + path + " leads to"));
    if (target.empty() || source.has(target)) continue;
    return fail(Fault::conflict,
                fmt::format("{} in {} is a link to {}, of which nothing would be archived", path,
                            source.title(), target),
                fmt::format("name {} in `paths` as well", target));
  }
  return {};
}

Result<void> check_mounts(Host& host, const Source& source) {
  RELAB_TRY(const auto points, mount_points_of(host, source));
  for (const auto& point : points) {
    const auto path = point.string();
    const bool named = std::ranges::find(source.paths, path) != source.paths.end();
    if (named || !source.has(path)) continue;
    return fail(Fault::conflict,
                fmt::format("{} in {} is another file system, which would not be archived", path,
                            source.title()),
                "name it in `paths` as well, or in `exclude`");
  }
  return {};
}

Result<TarWords> judge_tar(const Output& output) {
  TarWords words;
  for (const auto line : lines(output.err)) {
    if (trim(line).empty()) continue;
    if (path_before(line, ": socket ignored")) continue;
    auto changed = path_before(line, ": file changed as we read it");
    if (!changed) changed = path_before(line, ": File removed before we read it");
    if (!changed)
      return fail(Fault::damaged,
                  fmt::format("tar ended with {}: {}", output.status, clean_text(line)),
                  "nothing was kept of it; find the cause, and run it again");
    words.changed.push_back(std::move(*changed));
  }
  const bool well = output.status == 0 || (output.status == 1 && !words.changed.empty());
  if (well && !output.truncated) return words;
  return fail(Fault::damaged, fmt::format("tar ended with {}", output.status),
              "nothing was kept of it; find the cause, and run it again");
}

}  // namespace relab::agent::archive
