#include "agent/host/sim/debian/apt_sources.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/packages/sources.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

/// "http://deb.debian.org/debian/" is "deb.debian.org_debian".
std::string as_name(std::string_view uri) {
  if (const auto at = uri.find("://"); at != std::string_view::npos) uri.remove_prefix(at + 3);
  while (uri.ends_with('/')) uri.remove_suffix(1);
  std::string name(uri);
  std::ranges::replace(name, '/', '_');
  return name;
}

void add(const packages::Source& source, std::vector<AptSource>& all) {
  const auto types = words(source.types);
  if (!source.enabled || std::ranges::find(types, "deb") == types.end()) return;
  const auto options = words(source.options);
  const auto is_on = [&](std::string_view option) {
    return std::ranges::find(options, option) != options.end();
  };
  for (const auto uri : words(source.uris))
    for (const auto suite : words(source.suites)) {
      AptSource one{.uri = std::string(uri),
                    .suite = std::string(suite),
                    .component = {},
                    .signed_by = source.signed_by,
                    .trusted = is_on("trusted=yes"),
                    .publisher = publisher_of(uri)};
      if (suite.ends_with('/')) all.push_back(one);
      for (const auto component : words(source.components)) {
        one.component = component;
        all.push_back(one);
      }
    }
}

Result<void> read_file(SimHost& host, const Path& path, std::vector<AptSource>& all) {
  const auto text = host.read_file(path);
  if (!text) return text.error().fault == Fault::missing ? Result<void>() : fail(text.error());
  const bool is_deb822 = path.extension() == ".sources";
  const auto parsed =
      is_deb822 ? packages::parse_sources(*text) : packages::parse_source_list(*text);
  if (!parsed)
    return fail(Fault::damaged,
                fmt::format("E: Malformed entry in {} file {} ({})\nE: The list of sources could "
                            "not be read.\n",
                            is_deb822 ? "sources" : "list", path.string(), parsed.error().what));
  for (const auto& source : *parsed) add(source, all);
  return {};
}

}  // namespace

std::string AptSource::release_file() const {
  if (component.empty()) return as_name(uri) + "_" + as_name("/" + suite) + "_InRelease";
  return fmt::format("{}_dists_{}_InRelease", as_name(uri), as_name(suite));
}

std::string AptSource::packages_file(std::string_view architecture) const {
  if (component.empty()) return as_name(uri) + "_" + as_name("/" + suite) + "_Packages";
  return fmt::format("{}_dists_{}_{}_binary-{}_Packages", as_name(uri), as_name(suite), component,
                     architecture);
}

std::string AptSource::server() const {
  auto rest = std::string_view(uri);
  if (const auto at = rest.find("://"); at != std::string_view::npos) rest.remove_prefix(at + 3);
  return std::string(rest.substr(0, rest.find('/')));
}

Result<std::vector<AptSource>> read_sources(SimHost& host, const AptPlaces& places) {
  std::vector<AptSource> all;
  RELAB_CHECK(read_file(host, places.list, all));
  const auto names = host.list(places.parts);
  if (!names) return all;
  for (const auto& name : *names)
    if (name.ends_with(".list") || name.ends_with(".sources"))
      RELAB_CHECK(read_file(host, Path(places.parts) / name, all));
  return all;
}

}  // namespace relab::agent::sim
