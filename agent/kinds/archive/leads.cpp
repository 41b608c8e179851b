#include "agent/kinds/archive/leads.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

constexpr std::array made_anew = {"/usr",  "/bin", "/sbin", "/lib", "/lib32", "/lib64",
                                  "/boot", "/dev", "/proc", "/sys", "/run",   "/var/run"};
constexpr auto own_of_usr = "/usr/local";

bool is_made_anew(std::string_view path) {
  return !is_at_or_below(path, own_of_usr) &&
         std::ranges::any_of(made_anew,
                             [&](const auto* folder) { return is_at_or_below(path, folder); });
}

std::string target_of(const Entry& link) {
  const auto path = (Path(link.path).parent_path() / link.target).lexically_normal().string();
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

/// Where each of these paths is, every link followed; those that lead nowhere left out.
Result<std::map<std::string, std::string>> places_of(Host& host, const Source& source,
                                                     const std::set<std::string>& paths) {
  auto sought = source;
  sought.paths.assign(paths.begin(), paths.end());
  RELAB_TRY(const auto missing, missing_of(host, sought));
  std::erase_if(sought.paths,
                [&](const auto& path) { return std::ranges::count(missing, path) != 0; });
  std::map<std::string, std::string> places;
  if (sought.paths.empty()) return places;
  if (source.vmid == 0) {
    for (const auto& path : sought.paths) {
      const auto real = host.canonical(path);
      if (real || real.error().fault != Fault::missing) places[path] = real ? real->string() : path;
    }
    return places;
  }
  std::vector<std::string> argv = {"readlink", "--canonicalize-missing", "--"};
  argv.insert(argv.end(), sought.paths.begin(), sought.paths.end());
  RELAB_TRY(const auto text, output_of(host, {.argv = source.command(std::move(argv))}));
  const auto told = lines(text);
  if (told.size() != sought.paths.size())
    return fail(Fault::damaged, fmt::format("readlink told of {} paths in {}, and not of {}",
                                            told.size(), source.title(), sought.paths.size()));
  for (std::size_t i = 0; i < told.size(); ++i) places[sought.paths[i]] = std::string(told[i]);
  return places;
}

}  // namespace

Result<std::vector<Lead>> leads_of(Host& host, const Source& source,
                                   const std::vector<Entry>& entries) {
  std::vector<Lead> leads;
  std::set<std::string> targets;
  for (const auto& entry : entries) {
    if (entry.type != "link") continue;
    auto target = target_of(entry);
    if (is_made_anew(target)) continue;
    targets.insert(target);
    leads.push_back({.path = entry.path, .target = std::move(target)});
  }
  if (leads.empty()) return leads;
  RELAB_TRY(const auto places, places_of(host, source, targets));
  std::erase_if(leads, [&](Lead& lead) {
    const auto place = places.find(lead.target);
    if (place == places.end()) return true;
    lead.target = place->second;
    return source.has(lead.target) || is_made_anew(lead.target);
  });
  return leads;
}

}  // namespace relab::agent::archive
