#include "agent/kinds/system/dpkg.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

/// What dpkg has noted and not yet put into its list, in files with numbers for names: there are
/// none unless it was killed.
constexpr auto notes = "/var/lib/dpkg/updates";
constexpr std::size_t named_max = 10;

bool is_number(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

std::string interruption(const std::vector<Package>& packages) {
  std::string words;
  std::size_t count = 0;
  for (const auto& package : packages) {
    if (!package.is_interrupted()) continue;
    if (++count <= named_max)
      words += fmt::format("{}{} ({})", words.empty() ? "" : ", ", package.name, package.status);
  }
  if (count > named_max) words += fmt::format(" and {} more", count - named_max);
  return words;
}

}  // namespace

bool Package::is_installed() const {
  return status.size() == 2 && status[1] == 'i' && status[0] != 'u' && !broken;
}

bool Package::is_interrupted() const {
  // Half-installed, unpacked, half-configured, waiting for triggers, with triggers to be run.
  return broken || (status.size() == 2 &&
                    std::string_view("HUFWt").find(status[1]) != std::string_view::npos);
}

Result<std::vector<Package>> parse_packages(std::string_view text) {
  std::vector<Package> packages;
  for (const auto line : lines(text)) {
    const auto columns = split(line, '\t');
    constexpr std::size_t abbreviation = 3;
    if (columns.size() != 4 || columns[0].size() != abbreviation || columns[1].empty())
      return fail(Fault::damaged, "dpkg-query printed a line of no known form");
    packages.push_back({.name = std::string(columns[1]),
                        .architecture = std::string(columns[3]),
                        .version = std::string(columns[2]),
                        .status = std::string(columns[0].substr(0, 2)),
                        .broken = columns[0][2] != ' '});
  }
  if (packages.empty()) return fail(Fault::damaged, "dpkg has no packages at all");
  return packages;
}

Result<PackageFile> parse_package_file(std::string_view text) {
  PackageFile file;
  for (const auto line : lines(text)) {
    const auto take = [&](std::string_view field, std::string& value) {
      if (line.starts_with(field)) value = trim(line.substr(field.size()));
    };
    take("Package:", file.name);
    take("Version:", file.version);
    take("Architecture:", file.architecture);
  }
  if (!file.name.empty() && !file.version.empty() && !file.architecture.empty()) return file;
  return fail(Fault::damaged, "the package tells no name, version or architecture");
}

Result<Dpkg> Dpkg::read(Host& host) {
  Dpkg dpkg;
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"dpkg-query", "--show",
                                      "--showformat=${db:Status-Abbrev}\\t${Package}\\t${Version}"
                                      "\\t${Architecture}\\n"}}));
  RELAB_TRY(dpkg.packages_, parse_packages(text));
  RELAB_TRY(const auto architecture, output_of(host, {.argv = {"dpkg", "--print-architecture"}}));
  dpkg.architecture_ = trim(architecture);
  if (dpkg.architecture_.empty())
    return fail(Fault::damaged, "dpkg does not tell the architecture of this machine");
  dpkg.interrupted_ = interruption(dpkg.packages_);
  const auto left = host.list(notes);
  if (!left && left.error().fault != Fault::missing) return fail(left.error());
  if (left && std::ranges::any_of(*left, is_number) && dpkg.interrupted_.empty())
    dpkg.interrupted_ = "dpkg was ended in the middle of its work";
  return dpkg;
}

bool Dpkg::fits(std::string_view architecture) const {
  return architecture == architecture_ || architecture == "all";
}

const Package* Dpkg::find(std::string_view name) const {
  const auto found = std::ranges::find_if(packages_, [&](const Package& package) {
    return package.name == name && fits(package.architecture);
  });
  return found == packages_.end() ? nullptr : &*found;
}

}  // namespace relab::agent::system
