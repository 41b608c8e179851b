#include "agent/kinds/support/tree.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr int links_max = 40;
constexpr std::size_t expanded_max = 4096;

std::deque<std::string> parts_of(std::string_view path) {
  std::deque<std::string> parts;
  for (const auto part : split(path, '/'))
    if (!part.empty() && part != ".") parts.emplace_back(part);
  return parts;
}

std::string joined(const std::deque<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, "/"));
}

/// Nothing there, or something that is no directory on the way.
bool is_nothing(const Error& error) {
  return error.fault == Fault::missing || error.fault == Fault::invalid;
}

void put_before(std::deque<std::string>& rest, std::string_view target) {
  const auto parts = parts_of(target);
  rest.insert(rest.begin(), parts.begin(), parts.end());
}

}  // namespace

void Gathered::add(Gathered more) {
  contents.merge(more.contents);
  names.merge(more.names);
  unreadable.merge(more.unreadable);
}

bool matches(std::string_view name, std::string_view pattern) {
  const auto pieces = split(pattern, '*');
  if (pieces.size() == 1) return name == pattern;
  if (!name.starts_with(pieces.front())) return false;
  name.remove_prefix(pieces.front().size());
  // The leftmost place of each piece leaves the most for those behind it: there is no way back.
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) {
    const auto at = name.find(pieces[i]);
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + pieces[i].size());
  }
  return name.ends_with(pieces.back());
}

bool matches_path(std::string_view path, std::string_view pattern) {
  const auto names = split(path, '/');
  const auto patterns = split(pattern, '/');
  return std::ranges::equal(names, patterns, matches);
}

Tree::Tree(Host& host, std::vector<Mapping> mappings)
    : host_(host), mappings_(std::move(mappings)) {
  for (auto& mapping : mappings_) mapping.path = "/" + joined(parts_of(mapping.path));
  std::ranges::sort(mappings_, std::greater{},
                    [](const auto& mapping) { return mapping.path.size(); });
}

Result<Path> Tree::source_of(const Path& path) const {
  const auto text = path.string();
  for (const auto& [above, source, hidden] : mappings_) {
    if (!is_at_or_below(text, above)) continue;
    if (source.empty())
      return fail(Fault::missing, fmt::format("{} lies on what this machine cannot see", text));
    for (const auto& [place, mount_point] : hidden)
      if (is_at_or_below(text, place))
        return fail(Fault::damaged, fmt::format("{} is on {}, which a bind mount of {} does not "
                                                "show: the container sees an empty folder there",
                                                text, mount_point.string(), source.string()));
    const auto rest = path.lexically_relative(above);
    return rest == "." ? source : source / rest;
  }
  return fail(Fault::missing, fmt::format("{} lies nowhere", text));
}

const Result<FileStatus>& Tree::status_of(const Path& source) {
  const auto known = seen_.find(source);
  return known != seen_.end() ? known->second
                              : seen_.emplace(source, host_.status(source)).first->second;
}

const Result<std::vector<std::string>>& Tree::names_in(const Path& source) {
  const auto known = listed_.find(source);
  return known != listed_.end() ? known->second
                                : listed_.emplace(source, host_.list(source)).first->second;
}

Result<Path> Tree::resolve(const std::string& path) {
  auto rest = parts_of(path);
  Path at = "/";
  int links = 0;
  while (!rest.empty()) {
    const auto part = rest.front();
    rest.pop_front();
    if (part == "..") {
      at = at.parent_path();
      continue;
    }
    RELAB_TRY(const auto source, source_of(at / part));
    RELAB_TRY(const auto status, status_of(source));
    if (status.type != FileType::symlink) {
      at /= part;
      continue;
    }
    if (++links > links_max)
      return fail(Fault::damaged, fmt::format("{} has too many levels of symbolic links", path));
    RELAB_TRY(const auto target, host_.read_link(source));
    if (target.starts_with('/')) at = "/";
    put_before(rest, target);
  }
  return source_of(at);
}

/// The paths that match and whose parents exist.
std::vector<std::string> Tree::expand(const std::string& pattern, Gathered& gathered) {
  std::vector<std::string> paths{""};
  for (const auto& part : parts_of(pattern)) {
    std::vector<std::string> longer;
    for (const auto& path : paths) {
      if (part.find('*') == std::string::npos) {
        longer.push_back(fmt::format("{}/{}", path, part));
        continue;
      }
      const auto folder = resolve(path);
      const auto names =
          folder ? names_in(*folder) : Result<std::vector<std::string>>(fail(folder.error()));
      if (!names && !is_nothing(names.error())) gathered.unreadable[pattern] = names.error().what;
      if (!names) continue;
      for (const auto& name : *names)
        if (matches(name, part)) longer.push_back(fmt::format("{}/{}", path, name));
    }
    paths = std::move(longer);
    if (paths.size() <= expanded_max) continue;
    gathered.unreadable[pattern] = fmt::format("more than {} paths match", expanded_max);
    return {};
  }
  return paths;
}

void Tree::read(const std::string& path, Gathered& gathered) {
  const auto source = resolve(path);
  if (!source && !is_nothing(source.error())) gathered.unreadable[path] = source.error().what;
  if (!source) return;
  const auto& status = status_of(*source);
  if (!status && !is_nothing(status.error())) gathered.unreadable[path] = status.error().what;
  if (!status || status->type != FileType::regular) return;
  const auto text = host_.read_file(*source, gathered_size_max);
  // A process ends while it is looked at.
  if (!text && text.error().fault == Fault::missing) return;
  if (text)
    gathered.contents[path] = *text;
  else
    gathered.unreadable[path] = text.error().what;
}

Gathered Tree::gather(const Wanted& wanted) {
  Gathered gathered;
  const auto paths_of = [&](const std::string& pattern) {
    return wanted.literal ? std::vector{pattern} : expand(pattern, gathered);
  };
  for (const auto& pattern : wanted.contents)
    for (const auto& path : paths_of(pattern)) read(path, gathered);
  for (const auto& pattern : wanted.names)
    for (const auto& path : paths_of(pattern)) {
      const auto source = resolve(path);
      if (source) gathered.names.insert(path);
      if (!source && !is_nothing(source.error())) gathered.unreadable[path] = source.error().what;
    }
  return gathered;
}

}  // namespace relab::agent
