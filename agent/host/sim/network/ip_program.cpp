#include "agent/host/sim/network/ip_program.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/network/ip_json.h"
#include "common/base/number.h"

namespace relab::agent::sim {

namespace {

using Words = std::vector<std::string>;

/// A command line of `ip`, taken apart; what is left in `words` is not yet understood.
struct Line {
  bool is_json = false;
  bool has_details = false;
  std::string family = {};
  std::string object = {};
  Words words = {};

  /// Takes "dev X" and the like out of the words; empty if it is not there.
  std::string take(std::string_view name) {
    const auto at = std::ranges::find(words, name);
    if (at == words.end() || std::next(at) == words.end()) return {};
    auto value = *std::next(at);
    words.erase(at, at + 2);
    return value;
  }
  bool take_word(std::string_view word) {
    const auto at = std::ranges::find(words, word);
    if (at == words.end()) return false;
    words.erase(at);
    return true;
  }
  std::string take_first() {
    if (words.empty()) return {};
    auto first = words.front();
    words.erase(words.begin());
    return first;
  }
};

Line line_of(const Words& argv) {
  Line line;
  line.words = {argv.begin() + 1, argv.end()};
  while (!line.words.empty() && line.words.front().starts_with('-')) {
    const auto option = line.take_first();
    if (option == "-json") {
      line.is_json = true;
    } else if (option == "-details") {
      line.has_details = true;
    } else if (option == "-4" || option == "-6") {
      line.family = option == "-4" ? "ip" : "ip6";
    } else {
      line.words.insert(line.words.begin(), option);
      return line;
    }
  }
  line.object = line.take_first();
  return line;
}

Output refused(const Result<void>& done) {
  return done ? Output{} : Output{.status = 2, .err = done.error().what + "\n"};
}

/// "10.42.10.2/24"; what has no prefix is one address.
struct Cidr {
  std::string address;
  std::uint8_t prefix;
};
std::optional<Cidr> cidr_of(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return Cidr{.address = text, .prefix = 32};
  const auto prefix = parse_number<std::uint8_t>(std::string_view(text).substr(slash + 1));
  if (!prefix) return {};
  return Cidr{.address = text.substr(0, slash), .prefix = *prefix};
}

class Ip {
 public:
  Ip(SimHost& host, Wiring& wiring) : host_(host), wiring_(wiring) {}

  Result<Output> run(const Command& command) {
    auto line = line_of(command.argv);
    if (line.object == "address") return address(std::move(line), command);
    if (line.object == "route") return route(std::move(line), command);
    const bool is_list = line.words.empty() || line.words == Words{"show"};
    if (line.object == "rule" && is_list && line.is_json && !line.has_details) {
      const auto family = line.family.empty() ? std::string("ip") : line.family;
      return Output{.out = rules_json(wiring_, family).dump() + "\n"};
    }
    return host_.does_not_know(command);
  }

 private:
  Result<Output> address(Line line, const Command& command) {
    if (!line.words.empty() && (line.words[0] == "add" || line.words[0] == "del"))
      return change_address(std::move(line), command);
    line.take_word("show");
    const auto device = line.take("dev");
    if (!line.words.empty() || !line.is_json) return host_.does_not_know(command);
    if (!device.empty() && wiring_.link(device) == nullptr)
      return Output{.status = 1, .err = "Device \"" + device + "\" does not exist.\n"};
    const auto rows = addresses_json(
        wiring_, {.family = line.family, .device = device, .has_details = line.has_details});
    return Output{.out = rows.dump() + "\n"};
  }

  Result<Output> change_address(Line line, const Command& command) {
    const auto action = line.take_first();
    const auto cidr = cidr_of(line.take_first());
    const auto device = line.take("dev");
    Wiring::Address wanted{.label = device};
    wanted.broadcast = line.take("broadcast");
    if (const auto scope = line.take("scope"); !scope.empty()) wanted.scope = scope;
    if (const auto label = line.take("label"); !label.empty()) wanted.label = label;
    if (!line.words.empty() || line.family != "ip" || !cidr) return host_.does_not_know(command);
    if (wiring_.link(device) == nullptr)
      return Output{.status = 1, .err = "Cannot find device \"" + device + "\"\n"};
    if (action == "del")
      return refused(wiring_.remove_address(device, cidr->address, cidr->prefix));
    wanted.local = cidr->address;
    wanted.prefix = cidr->prefix;
    return refused(wiring_.add_address(device, std::move(wanted)));
  }

  Result<Output> route(Line line, const Command& command) {
    if (!line.words.empty() && line.words[0] == "replace")
      return replace_route(std::move(line), command);
    line.take_word("show");
    const bool is_all = line.take("table") == "all";
    const auto device = line.take("dev");
    if (!line.words.empty() || !line.is_json || !is_all || line.family.empty())
      return host_.does_not_know(command);
    if (!device.empty() && wiring_.link(device) == nullptr)
      return Output{.status = 1, .err = "Cannot find device \"" + device + "\"\n"};
    return Output{.out = routes_json(wiring_, {.family = line.family, .device = device}).dump() +
                         "\n"};
  }

  Result<Output> replace_route(Line line, const Command& command) {
    line.take_first();
    Wiring::Route route;
    auto& told = route.told;
    told.family = line.family;
    told.type = "unicast";
    told.destination = line.take_first();
    told.interface = line.take("dev");
    told.gateway = line.take("via");
    told.source = line.take("src");
    told.protocol = line.take("proto");
    route.scope = line.take("scope");
    route.is_onlink = line.take_word("onlink");
    const auto table = line.take("table");
    told.table = table.empty() ? "main" : table;
    const auto metric = parse_number<std::uint32_t>("0" + line.take("metric"));
    if (!line.words.empty() || told.family != "ip" || told.destination.empty() || !metric)
      return host_.does_not_know(command);
    told.metric = *metric;
    if (wiring_.link(told.interface) == nullptr)
      return Output{.status = 1, .err = "Cannot find device \"" + told.interface + "\"\n"};
    return refused(wiring_.replace_route(std::move(route)));
  }

  SimHost& host_;
  Wiring& wiring_;
};

}  // namespace

SimHost::Program ip_program(SimHost& host, Wiring& wiring) {
  return [&host, &wiring](const Command& command) { return Ip(host, wiring).run(command); };
}

SimHost::Program bridge_program(SimHost& host, const Wiring& wiring) {
  return [&host, &wiring](const Command& command) -> Result<Output> {
    const auto& argv = command.argv;
    if (Words(argv.begin() + 1, argv.end()) != Words{"-json", "-compressvlans", "vlan", "show"})
      return host.does_not_know(command);
    return Output{.out = bridge_vlans_json(wiring).dump() + "\n"};
  };
}

}  // namespace relab::agent::sim
