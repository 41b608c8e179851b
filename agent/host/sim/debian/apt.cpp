// apt-get install, by its own rules as far as a lab meets them.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "agent/host/sim/debian/deb_file.h"
#include "agent/host/sim/debian/packages.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr int apt_failed = 100;
/// Of a download, and of what dpkg unpacks.
constexpr std::uint64_t line_speed = std::uint64_t{12} << 20U;
constexpr std::uint64_t unpack_speed = std::uint64_t{60} << 20U;
/// A package is about a third of what comes out of it.
constexpr std::uint64_t packed = 3;
constexpr auto archives = "/var/cache/apt/archives";

constexpr std::string_view beginning =
    "Reading package lists...\nBuilding dependency tree...\nReading state information...\n";

/// "libzmq5 (>= 4.0.1) | libzmq6, adduser" as names, each with those that would do as well.
std::vector<std::vector<std::string>> parse_depends(std::string_view text) {
  std::vector<std::vector<std::string>> all;
  for (const auto one : split(text, ',')) {
    std::vector<std::string> choices;
    for (const auto choice : split(one, '|')) {
      const auto name = trim(choice);
      const auto end = name.find_first_of(" (:");
      if (!name.empty()) choices.emplace_back(name.substr(0, end));
    }
    if (!choices.empty()) all.push_back(std::move(choices));
  }
  return all;
}

constexpr std::size_t deb_max = std::size_t{1} << 30U;

/// The packages of the files among these.
std::vector<std::string> names_of_files(SimHost& host, const std::vector<std::string>& items) {
  std::vector<std::string> names;
  for (const auto& item : items) {
    if (!item.starts_with('/')) continue;
    const auto deb = host.read_file(item, deb_max);
    const auto control = deb ? control_of(*deb) : fail(deb.error());
    if (control) names.push_back(field_of(*control, "Package"));
  }
  return names;
}

}  // namespace

bool Packages::read_option(const std::string& text, AptCall& call) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return false;
  const auto name = text.substr(0, equals);
  const auto value = text.substr(equals + 1);
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  if (lower == "dir::etc::sourcelist") {
    call.places.list = value;
  } else if (lower == "dir::etc::sourceparts") {
    call.places.parts = value;
  } else if (lower == "dpkg::lock::timeout") {
    const auto seconds = parse_number<int>(value);
    if (!seconds) return false;
    call.patience = std::chrono::seconds(*seconds);
  } else if (lower == "apt::get::list-cleanup") {
    call.cleans_lists = value != "0";
  } else {
    static constexpr std::array<std::string_view, 4> without_effect = {
        "dpkg::options::", "dpkg::use-pty", "acquire::retries", "apt::install-recommends"};
    return std::ranges::find(without_effect, lower) != without_effect.end();
  }
  return true;
}

std::optional<Packages::AptCall> Packages::read_call(const Words& argv) {
  AptCall call;
  static constexpr std::array<std::string_view, 6> without_effect = {
      "-q", "-qq", "-y", "--yes", "--no-install-recommends", "--assume-yes"};
  bool only_items = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const auto& word = argv[i];
    const bool has_more = i + 1 < argv.size();
    if (only_items || !word.starts_with('-')) {
      (call.verb.empty() ? call.verb : call.items.emplace_back()) = word;
    } else if (word == "--") {
      only_items = true;
    } else if (word == "--simulate" || word == "-s") {
      call.simulate = true;
    } else if (word == "--no-remove") {
      call.no_remove = true;
    } else if (word == "--allow-downgrades") {
      call.downgrades = true;
    } else if (word == "--allow-change-held-packages") {
      call.held_ones = true;
    } else if (word == "--format" && has_more) {
      call.format = argv[++i];
    } else if (word == "-o" && has_more) {
      if (!read_option(argv[++i], call)) return {};
    } else if (std::ranges::find(without_effect, word) == without_effect.end()) {
      return {};
    }
  }
  return call;
}

Result<Output> Packages::apt_get(const Command& command) {
  const auto call = read_call(command.argv);
  if (!call) return system_.host.does_not_know(command);
  if (call->verb == "update" && call->items.empty()) return update(*call);
  if (call->verb == "indextargets" && call->items.empty() && call->format == "$(CREATED_BY)")
    return indextargets(*call);
  if (call->verb == "clean") return Output{};
  if (call->verb != "install") return system_.host.does_not_know(command);
  if (!call->simulate)
    if (const auto words = locked(call->patience); !words.empty())
      return Output{.status = apt_failed, .err = words};
  const auto resolved = resolve(*call);
  if (!resolved.error.empty())
    return Output{
        .status = apt_failed, .out = std::string(beginning) + resolved.said, .err = resolved.error};
  return call->simulate ? simulate(resolved) : carry_out(*call, resolved);
}

Output Packages::install(const std::vector<std::string>& items) {
  Words argv = {"apt-get", "-q", "-y", "install", "--"};
  argv.insert(argv.end(), items.begin(), items.end());
  const auto output = apt_get({.argv = argv});
  return output ? *output : Output{.status = apt_failed, .err = output.error().sentence() + "\n"};
}

std::optional<Packages::Candidate> Packages::candidate(const std::string& name,
                                                       const AptPlaces& places) {
  std::optional<Candidate> best;
  const auto take = [&](const std::optional<Available>& found, const std::string& label) {
    if (!found || (best && compare_versions(found->version, best->package.version) <= 0)) return;
    best = Candidate{.package = *found, .label = label};
  };
  const auto offered = offered_.find(name);
  if (offered != offered_.end() && offered->second.from.empty()) take(offered->second, "local");
  const auto sources = read_sources(system_.host, places);
  if (!sources) return best;
  for (const auto& source : *sources) {
    if (!system_.host.status(Path(apt_lists) / source.packages_file(system_.architecture)))
      continue;
    const auto& publisher = source.publisher;
    // Not every publisher has suites that are called as Debian's.
    const bool is_debians =
        source.suite.starts_with("bookworm") || source.suite.starts_with("trixie");
    const auto label = fmt::format("{}:{}", publisher.label, source.suite);
    const auto suite = is_debians ? source.suite : system_.suite;
    take(in_catalogue(name, publisher.name, suite), label);
    take(in_catalogue(name, publisher.name + "-" + source.component, suite), label);
    if (offered != offered_.end() && offered->second.from == publisher.name)
      take(offered->second, label);
  }
  return best;
}

Packages::Resolved Packages::resolve(const AptCall& call) {
  Resolved resolved;
  if (const auto sources = read_sources(system_.host, call.places); !sources)
    resolved.error = sources.error().what;
  for (const auto& item : call.items) {
    if (!resolved.error.empty()) return resolved;
    if (item.starts_with('/'))
      add_package_file(item, call, resolved);
    else
      add_item(item, call, resolved);
  }
  if (resolved.error.empty()) check_steps(call, resolved);
  return resolved;
}

void Packages::add_item(const std::string& item, const AptCall& call, Resolved& resolved) {
  const auto equals = item.find('=');
  const auto name = item.substr(0, equals);
  const auto version = equals == std::string::npos ? std::string() : item.substr(equals + 1);
  auto chosen = candidate(name, call.places);
  const auto* installed = find(name);
  const bool is_there = installed != nullptr && is_installed(name);
  const bool stays =
      is_there && (version.empty() ? !chosen || compare_versions(chosen->package.version,
                                                                 installed->version) <= 0
                                   : version == installed->version);
  if (stays) {
    resolved.said +=
        fmt::format("{} is already the newest version ({}).\n", name, installed->version);
    return;
  }
  if (!chosen) {
    resolved.error = fmt::format("E: Unable to locate package {}\n", name);
    return;
  }
  if (!version.empty() && version != chosen->package.version) {
    // An archive has more versions than a catalogue: that this one is there is taken for granted,
    // and told.
    static_cast<void>(system_.host.does_not_know({.argv = {"apt-get", "install", item}}));
    chosen->package.version = version;
  }
  add_step(std::move(*chosen), call, resolved);
}

void Packages::add_package_file(const std::string& path, const AptCall& call, Resolved& resolved) {
  const auto deb = system_.host.read_file(path, deb_max);
  const auto control = deb ? control_of(*deb) : fail(deb.error());
  if (!control) {
    resolved.error = fmt::format("E: Unsupported file {} given on commandline\n", path);
    return;
  }
  Available package{.name = field_of(*control, "Package"),
                    .version = field_of(*control, "Version"),
                    .from = {},
                    .bytes = parse_number<std::uint64_t>(field_of(*control, "Installed-Size"))
                                 .value_or(deb->size() / 1024) *
                             1024};
  if (package.name == "relab-agent") {
    package.files = {"/usr/bin/relab-agent", "/etc/relab-agent/"};
    package.brings = {"relab-agent.service"};
  }
  const auto beside = names_of_files(system_.host, call.items);
  for (const auto& choices : parse_depends(field_of(*control, "Depends"))) {
    const auto is_met = [&](const std::string& name) {
      return is_installed(name) || std::ranges::find(beside, name) != beside.end();
    };
    // What is known of no catalogue cannot be told to be missing: libraries, mostly.
    const auto known =
        std::ranges::find_if(choices, [](const auto& name) { return is_known_package(name); });
    if (std::ranges::none_of(choices, is_met) && known != choices.end())
      package.needs.push_back(*known);
  }
  add_step({.package = std::move(package), .label = "local-deb"}, call, resolved);
}

void Packages::add_step(Candidate chosen, const AptCall& call, Resolved& resolved) {
  const auto& name = chosen.package.name;
  if (std::ranges::any_of(resolved.steps,
                          [&](const Step& step) { return step.package.name == name; }))
    return;
  add_needs(chosen.package, call, resolved);
  for (const auto& other : chosen.package.conflicts)
    if (is_installed(other)) resolved.removals.push_back(other);
  const auto* installed = find(name);
  const bool is_there = installed != nullptr && !installed->status.ends_with(" config-files") &&
                        !installed->status.ends_with(" not-installed");
  resolved.steps.push_back({.package = std::move(chosen.package),
                            .architecture = system_.architecture,
                            .from = is_there ? installed->version : std::string(),
                            .label = std::move(chosen.label)});
}

void Packages::add_needs(const Available& package, const AptCall& call, Resolved& resolved) {
  for (const auto& need : package.needs) {
    if (is_installed(need)) continue;
    auto chosen = candidate(need, call.places);
    if (chosen) {
      add_step(std::move(*chosen), call, resolved);
      continue;
    }
    resolved.said += fmt::format(
        "Some packages could not be installed. This may mean that you have\nrequested an "
        "impossible situation or if you are using the unstable\ndistribution that some required "
        "packages have not yet been created\nor been moved out of Incoming.\nThe following "
        "information may help to resolve the situation:\n\nThe following packages have unmet "
        "dependencies:\n {} : Depends: {} but it is not installable\n",
        package.name, need);
    resolved.error = "E: Unable to correct problems, you have held broken packages.\n";
  }
}

void Packages::check_steps(const AptCall& call, Resolved& resolved) const {
  if (call.no_remove && !resolved.removals.empty())
    resolved.error = "E: Packages need to be removed but remove is disabled.\n";
  for (const auto& step : resolved.steps) {
    const auto* installed = find(step.package.name);
    const bool held = installed != nullptr && installed->status.starts_with("hold");
    if (held && !call.held_ones && !call.simulate)
      resolved.error =
          "E: Held packages were changed and -y was used without --allow-change-held-packages.\n";
    const bool is_lower =
        !step.from.empty() && compare_versions(step.package.version, step.from) < 0;
    if (is_lower && !call.downgrades && !call.simulate)
      resolved.error = "E: Packages were downgraded and -y was used without --allow-downgrades.\n";
  }
}

std::string Packages::plan_of(const Resolved& resolved) const {
  Words fresh;
  Words upgraded;
  for (const auto& step : resolved.steps)
    (step.from.empty() ? fresh : upgraded).push_back(step.package.name);
  auto text = std::string(beginning) + resolved.said;
  if (!resolved.removals.empty())
    text += fmt::format("The following packages will be REMOVED:\n  {}\n",
                        fmt::join(resolved.removals, " "));
  if (!fresh.empty())
    text +=
        fmt::format("The following NEW packages will be installed:\n  {}\n", fmt::join(fresh, " "));
  if (!upgraded.empty())
    text +=
        fmt::format("The following packages will be upgraded:\n  {}\n", fmt::join(upgraded, " "));
  return text + fmt::format("{} upgraded, {} newly installed, {} to remove and 0 not upgraded.\n",
                            upgraded.size(), fresh.size(), resolved.removals.size());
}

Output Packages::simulate(const Resolved& resolved) const {
  Output output{.out = plan_of(resolved)};
  std::string configured;
  for (const auto& name : resolved.removals)
    output.out += fmt::format("Remv {} [{}]\n", name, packages_.at(name).version);
  for (const auto& step : resolved.steps) {
    const auto from = step.from.empty() ? std::string() : fmt::format("[{}] ", step.from);
    const auto to =
        fmt::format("({} {} [{}])", step.package.version, step.label, step.architecture);
    output.out += fmt::format("Inst {} {}{}\n", step.package.name, from, to);
    configured += fmt::format("Conf {} {}\n", step.package.name, to);
  }
  for (const auto& name : unconfigured())
    configured +=
        fmt::format("Conf {} ({} [{}])\n", name, packages_.at(name).version, system_.architecture);
  output.out += configured;
  return output;
}

Output Packages::carry_out(const AptCall& call, const Resolved& resolved) {
  auto& host = system_.host;
  Output output{.out = plan_of(resolved)};
  std::uint64_t bytes = 0;
  for (const auto& step : resolved.steps) bytes += step.package.bytes;
  const auto room = host.file_system("/var");
  if (room && room->free < bytes / packed && call.places.list != "/dev/null")
    return {.status = apt_failed,
            .out = output.out,
            .err = fmt::format("E: You don't have enough free space in {}/.\n", archives)};
  const auto fetched =
      std::ranges::find_if(resolved.steps, [](const Step& s) { return s.label != "local-deb"; });
  const auto why = fetched != resolved.steps.end() && way_ ? way_("deb.debian.org") : std::string();
  if (!why.empty())
    return {.status = apt_failed,
            .out = output.out,
            .err = fmt::format("E: Failed to fetch http://deb.debian.org/debian/pool/main/{}.deb  "
                               "{}\nE: Unable to fetch some archives, maybe run apt-get update or "
                               "try with --fix-missing?\n",
                               fetched->package.name, why)};
  for (const auto& name : resolved.removals) {
    packages_.at(name).status = "deinstall ok config-files";
    output.out += fmt::format("Removing {} ({}) ...\n", name, packages_.at(name).version);
  }
  for (const auto& step : resolved.steps) {
    if (step.label != "local-deb") host.spend(step.package.bytes / packed, line_speed);
    if (unpack(step, output)) continue;
    output.status = apt_failed;
    output.err += "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
    return output;
  }
  const auto configured = configure_all();
  output.out += configured.out;
  output.err += configured.err;
  if (configured.status == 0) return output;
  output.status = apt_failed;
  output.err += "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
  return output;
}

bool Packages::unpack(const Step& step, Output& output) {
  auto& host = system_.host;
  const auto& package = step.package;
  const auto file = fmt::format("{}_{}_{}.deb", package.name, package.version, step.architecture);
  output.out += fmt::format("Preparing to unpack .../{} ...\nUnpacking {} ({}) ...\n", file,
                            package.name, package.version);
  if (!host.occupy("/usr", package.bytes)) {
    output.err += fmt::format(
        "dpkg: error processing archive {}/{} (--unpack):\n cannot copy extracted data for "
        "'./usr/share/doc/{}/copyright' to '/usr/share/doc/{}/copyright.dpkg-new': failed to "
        "write (No space left on device)\nErrors were encountered while processing:\n {}/{}\n",
        archives, file, package.name, package.name, archives, file);
    return false;
  }
  host.spend(package.bytes, unpack_speed);
  const auto* installed = find(package.name);
  const bool held = installed != nullptr && installed->status.starts_with("hold");
  add(package.name, {.version = package.version,
                     .status = held ? "hold ok unpacked" : "install ok unpacked",
                     .architecture = step.architecture});
  brought_.insert_or_assign(package.name, package);
  return true;
}

}  // namespace relab::agent::sim
