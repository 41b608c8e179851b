#include "controller/survival/network_sources.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/wire/message.h"
#include "controller/survival/cron_programs.h"
#include "controller/survival/ground.h"

namespace relab::controller {

namespace {

using Network = schema::AuditNetwork::Facts::Reader;
using Services = schema::AuditServices::Facts::Reader;

/// What a unit takes its configuration from.
struct Unit {
  /// The whole name, or all up to the @ of one that has instances.
  std::string_view name;
  std::string_view path;
  std::string_view what;
};
constexpr std::array units = {
    Unit{"wg-quick@", "/etc/wireguard", "configuration of WireGuard"},
    Unit{"nftables.service", "/etc/nftables.conf", "rules of the packet filter"},
    Unit{"netfilter-persistent.service", "/etc/iptables", "rules of the packet filter"},
    Unit{"systemd-networkd.service", "/etc/systemd/network", "configuration of the network"}};

bool is_named(std::string_view unit, std::string_view name) {
  return name.ends_with('@') ? unit.starts_with(name) : unit == name;
}

/// It starts by itself, or runs, or systemd has an instance of it loaded: that of a tunnel which is
/// down, too.
bool is_in_use(Services services, std::string_view name) {
  return any_in(services.getUnitFiles(),
                [&](auto file) {
                  return is_named(view(file.getName()), name) &&
                         view(file.getState()).starts_with("enabled");
                }) ||
         any_in(services.getUnits(), [&](auto unit) {
           return is_named(view(unit.getName()), name) && view(unit.getLoad()) == "loaded" &&
                  (name.ends_with('@') || view(unit.getActive()) != "inactive");
         });
}

/// A pattern stands for its folder.
std::string without_pattern(std::string_view path) {
  const auto sign = path.find_first_of("*?[$");
  return std::string(sign == std::string_view::npos ? path : path.substr(0, path.rfind('/', sign)));
}

/// Files that the options of an interface name: "post-up iptables-restore < /etc/iptables.rules".
std::vector<std::string> files_of(std::string_view options) {
  std::string text(options);
  std::ranges::replace_if(
      text,
      [](char sign) {
        return std::string_view(";&|()<>`\"'=").find(sign) != std::string_view::npos;
      },
      ' ');
  std::vector<std::string> files;
  for (const auto word : words(text)) {
    if (word.starts_with("/etc/")) files.push_back(without_pattern(word));
    for (auto& program : own_programs_of(word)) files.push_back(std::move(program));
  }
  return files;
}

class Sources {
 public:
  void add(std::string path, std::string what) {
    const auto holds = [&](const NetworkSource& known) { return is_below(path, known.path); };
    if (!path.empty() && std::ranges::none_of(found_, holds))
      found_.push_back({.path = std::move(path), .what = std::move(what)});
  }
  std::vector<NetworkSource> found() && { return std::move(found_); }

 private:
  std::vector<NetworkSource> found_;
};

bool has_tunnel(Network network) {
  const auto names_one = [](auto stanza) {
    const auto options = view(stanza.getOptions());
    return options.find("wg-quick") != std::string_view::npos ||
           options.find("/etc/wireguard") != std::string_view::npos;
  };
  return network.getWireguard().size() != 0 || any_in(network.getConfigured(), names_one) ||
         any_in(network.getInterfaces(),
                [](auto interface) { return view(interface.getKind()) == "wireguard"; });
}

}  // namespace

std::vector<NetworkSource> network_sources(Network network,
                                           const std::optional<Services>& services) {
  Sources sources;
  sources.add("/etc/network", "configuration of the network");
  if (has_tunnel(network)) sources.add("/etc/wireguard", "configuration of WireGuard");
  if (view(network.getUfw()) == "active") sources.add("/etc/ufw", "rules of the packet filter");
  for (const auto& unit : units)
    if (services && is_in_use(*services, unit.name))
      sources.add(std::string(unit.path), std::string(unit.what));
  for (const auto stanza : network.getConfigured()) {
    sources.add(str(stanza.getFile()), "configuration of the network");
    for (auto& file : files_of(view(stanza.getOptions())))
      sources.add(std::move(file),
                  fmt::format("file that the interface {} names", view(stanza.getName())));
  }
  return std::move(sources).found();
}

}  // namespace relab::controller
