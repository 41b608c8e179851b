// The small programs that change files.

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/debian/file_tools.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr std::size_t size_max = std::size_t{1} << 32U;

Output no_such(std::string_view what, const std::string& path) {
  return {.status = 1, .err = fmt::format("{} '{}': No such file or directory\n", what, path)};
}

}  // namespace

Output FileTools::make_folder(const Path& path, const Parted& parted) {
  if (const auto status = host_.status(path)) {
    if (parted.has("-p") && status->type != FileType::regular) return {};
    return {
        .status = 1,
        .err = fmt::format("mkdir: cannot create directory ‘{}’: File exists\n", path.string())};
  }
  const auto above = path.parent_path();
  if (!host_.canonical(above)) {
    if (!parted.has("-p"))
      return {.status = 1,
              .err = fmt::format("mkdir: cannot create directory ‘{}’: No such file or directory\n",
                                 path.string())};
    // Those above have the usual mode.
    if (auto output = make_folder(above, {.options = {"-p"}}); output.status != 0) return output;
  }
  if (host_.is_read_only(*host_.canonical(above)))
    return {.status = 1,
            .err = fmt::format("mkdir: cannot create directory ‘{}’: Read-only file system\n",
                               path.string())};
  constexpr std::uint32_t usual = 0755;
  const auto mode = parse_number<std::uint32_t>(parted.value("-m"), 8).value_or(usual);
  const auto real = host_.canonical(above);
  host_.directory(*real / path.filename(), {.mode = mode, .modified = host_.now()});
  return {};
}

Result<Output> FileTools::mkdir(const Command& command) {
  const auto parted = part(command.argv, {"-m"});
  if (parted.has_others({"-p", "-m="}) || parted.names.empty()) return host_.does_not_know(command);
  Output output;
  for (const auto& name : parted.names) {
    const auto one = make_folder(Path(name).lexically_normal(), parted);
    output.err += one.err;
    output.status = std::max(output.status, one.status);
  }
  return output;
}

bool FileTools::is_mount_point(const Path& path) const {
  return std::ranges::find(host_.mounts(), path, &SimMount::point) != host_.mounts().end();
}

void FileTools::remove_tree(const Path& path) {
  const auto status = host_.status(path);
  if (!status) return;
  if (status->type != FileType::directory) {
    static_cast<void>(host_.remove_file(path).has_value());
    return;
  }
  for (const auto& name : host_.list(path).value_or(Words()))
    if (!is_mount_point(path / name)) remove_tree(path / name);
  // What is mounted below keeps the folders above it.
  if (host_.list(path).value_or(Words()).empty()) host_.remove(path);
}

Result<Output> FileTools::rm(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others(
          {"-r", "-f", "-rf", "-fr", "--one-file-system", "--recursive", "--force"}) ||
      parted.names.empty())
    return host_.does_not_know(command);
  const bool whole =
      parted.has("-r") || parted.has("-rf") || parted.has("-fr") || parted.has("--recursive");
  const bool forced =
      parted.has("-f") || parted.has("-rf") || parted.has("-fr") || parted.has("--force");
  Output output;
  for (const auto& name : parted.names) {
    const auto status = host_.status(name);
    if (!status && forced) continue;
    if (status && host_.is_read_only(name)) {
      output.status = 1;
      output.err += fmt::format("rm: cannot remove '{}': Read-only file system\n", name);
      continue;
    }
    if (status && (status->type != FileType::directory || whole)) {
      remove_tree(Path(name).lexically_normal());
      continue;
    }
    output.status = 1;
    output.err += fmt::format("rm: cannot remove '{}': {}\n", name,
                              status ? "Is a directory" : "No such file or directory");
  }
  return output;
}

Result<Output> FileTools::rmdir(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others({}) || parted.names.empty()) return host_.does_not_know(command);
  Output output;
  for (const auto& name : parted.names) {
    const auto names = host_.list(name);
    std::string why;
    if (!names)
      why = names.error().fault == Fault::invalid ? "Not a directory" : "No such file or directory";
    else if (!names->empty())
      why = "Directory not empty";
    else if (is_mount_point(name))
      why = "Device or resource busy";
    else if (host_.is_read_only(name))
      why = "Read-only file system";
    if (why.empty()) {
      host_.remove(Path(name).lexically_normal());
      continue;
    }
    output.status = 1;
    output.err += fmt::format("rmdir: failed to remove '{}': {}\n", name, why);
  }
  return output;
}

void FileTools::copy_tree(const Path& from, const Path& to) {
  auto status = host_.status(from);
  if (!status) return;
  status->changed = host_.now();
  if (status->type == FileType::symlink) {
    host_.link(to, host_.read_link(from).value_or(""));
  } else if (status->type == FileType::directory) {
    host_.directory(to, *status);
    for (const auto& name : host_.list(from).value_or(Words())) copy_tree(from / name, to / name);
  } else if (status->type == FileType::regular) {
    const auto grain = host_.grain_of(from);
    host_.file(to, host_.read_file(from, size_max).value_or(""), *status);
    host_.stand_for(to, grain);
  } else {
    host_.device(to, *status);
  }
}

Result<Output> FileTools::copy(const Command& command) {
  const auto parted = part(command.argv);
  // Without -a or -p the copy is another's; who needs that is not simulated yet.
  if (parted.has_others({"-a", "--archive", "-p"}) || parted.options.empty() ||
      parted.names.size() != 2)
    return host_.does_not_know(command);
  if (!host_.status(parted.names[0])) return no_such("cp: cannot stat", parted.names[0]);
  Path to = parted.names[1];
  if (const auto status = host_.status(to); status && status->type == FileType::directory)
    to /= Path(parted.names[0]).filename();
  if (host_.is_read_only(to)) return host_.does_not_know(command);
  copy_tree(parted.names[0], to);
  return Output{};
}

Result<Output> FileTools::move(const Command& command) {
  const auto parted = part(command.argv);
  if (parted.has_others({"-f", "-T"}) || parted.names.size() != 2)
    return host_.does_not_know(command);
  if (!host_.status(parted.names[0])) return no_such("mv: cannot stat", parted.names[0]);
  Path to = parted.names[1];
  const auto status = host_.status(to);
  if (status && status->type == FileType::directory && !parted.has("-T"))
    to /= Path(parted.names[0]).filename();
  if (host_.is_read_only(to)) return host_.does_not_know(command);
  copy_tree(parted.names[0], to);
  remove_tree(parted.names[0]);
  return Output{};
}

}  // namespace relab::agent::sim
