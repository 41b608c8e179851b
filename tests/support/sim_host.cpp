#include "tests/support/sim_host.h"

#include <fmt/format.h>

namespace relab::agent {

namespace {

constexpr int links_max = 40;

std::string joined(const std::vector<std::string>& argv) {
  return fmt::format("{}", fmt::join(argv, " "));
}

}  // namespace

void SimHost::file(const Path& path, std::string content) {
  file(path, std::move(content), {.type = FileType::regular, .mode = 0644});
}

void SimHost::file(const Path& path, std::string content, FileStatus status) {
  directory(path.parent_path());
  status.type = FileType::regular;
  status.size = content.size();
  nodes_[path.lexically_normal().string()] = {.status = status, .content = std::move(content)};
}

void SimHost::directory(const Path& path) {
  const auto normal = path.lexically_normal();
  if (nodes_.contains(normal.string())) return;
  directory(normal.parent_path());
  nodes_[normal.string()] = {.status = {.type = FileType::directory, .mode = 0755}, .content = {}};
}

void SimHost::link(const Path& path, std::string target) {
  directory(path.parent_path());
  nodes_[path.lexically_normal().string()] = {.status = {.type = FileType::symlink, .mode = 0777},
                                              .content = std::move(target)};
}

void SimHost::device(const Path& path, FileStatus status) {
  directory(path.parent_path());
  nodes_[path.lexically_normal().string()] = {.status = status, .content = {}};
}

void SimHost::remove(const Path& path) { nodes_.erase(path.lexically_normal().string()); }

void SimHost::broken(const Path& path, Error error) {
  broken_.insert_or_assign(path.lexically_normal().string(), std::move(error));
}

void SimHost::program(std::string name, Program program) {
  programs_[std::move(name)] = std::move(program);
}

void SimHost::program(std::string name, Output output) {
  programs_[std::move(name)] = [output = std::move(output)](const Command&) { return output; };
}

void SimHost::answer(std::string command, Output output) {
  answers_[std::move(command)] = std::move(output);
}

Result<Output> SimHost::run(const Command& command) {
  RELAB_ASSERT(!command.argv.empty());
  auto argv = command.argv;
  argv[0] = Path(argv[0]).filename().string();
  const auto line = joined(argv);
  ran_.push_back(line);
  if (const auto answer = answers_.find(line); answer != answers_.end()) return answer->second;
  if (const auto program = programs_.find(argv[0]); program != programs_.end())
    return program->second(command);
  for (const auto& [known, output] : answers_)
    if (known.starts_with(argv[0] + " ") || known == argv[0])
      return Output{.status = 2,
                    .err = fmt::format("the simulated {} has no answer to: {}\n", argv[0], line)};
  return fail(Fault::missing, fmt::format("no {} on this machine", argv[0]));
}

Result<void> SimHost::pause(Millis span, const Waiting& /*waiting*/) {
  now_ += span;
  if (!stop_ || now_ < *stop_) return {};
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

Result<const SimHost::Node*> SimHost::find(const Path& path, bool follow) const {
  Path at = path.lexically_normal();
  for (int hops = 0; hops < links_max; ++hops) {
    // Links in the middle of the path are followed always, the last one if asked.
    Path walked = "/";
    bool restarted = false;
    for (auto part = at.begin(); part != at.end(); ++part) {
      if (part->string() == "/" || part->empty()) continue;
      walked /= *part;
      const auto node = nodes_.find(walked.string());
      if (node == nodes_.end())
        return fail(Fault::missing, fmt::format("there is no {}", path.string()));
      const bool last = std::next(part) == at.end();
      if (node->second.status.type != FileType::symlink || (last && !follow)) continue;
      Path rest;
      for (auto tail = std::next(part); tail != at.end(); ++tail) rest /= *tail;
      at = (walked.parent_path() / node->second.content / rest).lexically_normal();
      if (at.has_filename() == false && at != "/") at = at.parent_path();
      restarted = true;
      break;
    }
    if (restarted) continue;
    if (const auto error = broken_.find(at.string()); error != broken_.end())
      return fail(error->second);
    return &nodes_.find(walked.string())->second;
  }
  return fail(Fault::invalid,
              fmt::format("{} has too many levels of symbolic links", path.string()));
}

Result<std::string> SimHost::read_file(const Path& path, std::size_t size_max) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto* node, find(path, true));
  if (node->status.type == FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is a directory", path.string()));
  if (node->content.size() > size_max)
    return fail(Fault::invalid, fmt::format("{} has more than {} bytes", path.string(), size_max));
  return node->content;
}

Result<std::vector<std::string>> SimHost::list(const Path& path) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto real, canonical(path));
  RELAB_TRY(const auto* node, find(real, true));
  if (node->status.type != FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is not a directory", path.string()));
  std::vector<std::string> names;
  for (const auto& [name, unused] : nodes_)
    if (name != "/" && Path(name).parent_path() == real)
      names.push_back(Path(name).filename().string());
  return names;
}

Result<FileStatus> SimHost::status(const Path& path) {
  if (const auto error = broken_.find(path.lexically_normal().string()); error != broken_.end())
    return fail(error->second);
  RELAB_TRY(const auto* node, find(path, false));
  return node->status;
}

Result<std::string> SimHost::read_link(const Path& path) {
  RELAB_TRY(const auto* node, find(path, false));
  if (node->status.type != FileType::symlink)
    return fail(Fault::invalid, fmt::format("{} is not a symbolic link", path.string()));
  return node->content;
}

Result<Path> SimHost::canonical(const Path& path) {
  RELAB_TRY(const auto* node, find(path, true));
  for (const auto& [name, candidate] : nodes_)
    if (&candidate == node) return Path(name);
  return fail(Fault::missing, fmt::format("there is no {}", path.string()));
}

}  // namespace relab::agent
