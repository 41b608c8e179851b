#include "agent/kinds/network/ip_addresses.h"

#include "agent/kinds/network/ipv4.h"
#include "tests/support/must.h"
#include "tests/support/sim_ip.h"

namespace relab::agent::network {

namespace {

using Texts = std::vector<std::string>;

constexpr auto default_route = R"({"dst":"default","gateway":"10.0.0.254","flags":[]})";

Message<schema::IpAddresses> wish(const std::string& addresses) {
  return must(Message<schema::IpAddresses>::from_json(R"({"interface": "vmbr0", "addresses": [)" +
                                                      addresses + "]}"));
}

/// A machine with one interface.
struct Machine {
  Machine() {
    ip.interfaces["vmbr0"] = {.addresses = {{.cidr = "10.0.0.1/24", .broadcast = "10.0.0.255"}},
                              .routes = {default_route}};
    host.program("ip", ip.program());
  }
  Result<Message<IpAddresses::Facts>> observe(const std::string& addresses) {
    return IpAddresses::observe(wish(addresses).reader(), host);
  }
  std::vector<Change> plan(const std::string& addresses) {
    return must(IpAddresses::plan(wish(addresses).reader(), must(observe(addresses)).reader()));
  }
  Texts cidrs() const {
    Texts texts;
    for (const auto& address : ip.interfaces.at("vmbr0").addresses) texts.push_back(address.cidr);
    return texts;
  }

  SimIp ip;
  SimHost host;
};

Texts words_of(const std::vector<Change>& changes) {
  Texts words;
  for (const auto& change : changes) words.push_back(change.what);
  return words;
}

}  // namespace

TEST_CASE("ip addresses: what is missing is added before what is surplus goes",
          "[agent][network]") {
  Machine machine;

  CHECK(words_of(machine.plan(R"("10.0.0.2/24")")) ==
        Texts{"+ address 10.0.0.2/24 on vmbr0", "- address 10.0.0.1/24 on vmbr0"});
}

TEST_CASE("ip addresses: nothing is planned where all is as wished", "[agent][network]") {
  Machine machine;

  CHECK(machine.plan(R"("10.0.0.1/24")").empty());
}

TEST_CASE("ip addresses: an address that is wished twice is added once", "[agent][network]") {
  Machine machine;

  CHECK(machine.plan(R"("10.0.0.1/24", "10.1.0.1/16", "10.1.0.1/16")").size() == 1);
}

TEST_CASE("ip addresses: what the kernel drops with an address is put back", "[agent][network]") {
  Machine machine;

  for (const auto& change : machine.plan(R"("10.0.0.2/24", "10.0.0.3/24")"))
    must(IpAddresses::apply(change, machine.host));

  CHECK(machine.cidrs() == Texts{"10.0.0.2/24", "10.0.0.3/24"});
  CHECK(machine.ip.interfaces.at("vmbr0").routes == Texts{default_route});
}

TEST_CASE("ip addresses: a change that was made already is not made again", "[agent][network]") {
  Machine machine;
  const auto changes = machine.plan(R"("10.9.0.2/24")");
  for (const auto& change : changes) must(IpAddresses::apply(change, machine.host));
  const auto after = machine.ip.interfaces;

  for (const auto& change : changes) must(IpAddresses::apply(change, machine.host));

  CHECK(machine.ip.interfaces == after);
}

TEST_CASE("ip addresses: the way back leads to the addresses and routes of before",
          "[agent][network]") {
  Machine machine;
  const auto wished = R"("10.0.0.2/24")";
  const auto before = machine.ip.interfaces;
  const auto seen = must(machine.observe(wished));
  for (const auto& change : machine.plan(wished)) must(IpAddresses::apply(change, machine.host));
  machine.ip.interfaces["vmbr0"].routes.clear();

  const auto now = must(machine.observe(wished));
  for (const auto& change : IpAddresses::revert(wish(wished).reader(), seen.reader(), now.reader()))
    must(IpAddresses::apply(change, machine.host));

  CHECK(machine.ip.interfaces == before);
}

TEST_CASE("ip addresses: the way back leaves alone what came by another hand", "[agent][network]") {
  Machine machine;
  const auto wished = R"("10.0.0.1/24", "10.9.0.1/24")";
  const auto seen = must(machine.observe(wished));
  machine.ip.interfaces["vmbr0"].addresses.push_back({.cidr = "10.9.0.1/24"});
  machine.ip.interfaces["vmbr0"].addresses.push_back({.cidr = "10.9.0.7/24"});

  const auto now = must(machine.observe(wished));
  for (const auto& change : IpAddresses::revert(wish(wished).reader(), seen.reader(), now.reader()))
    must(IpAddresses::apply(change, machine.host));

  CHECK(machine.cidrs() == Texts{"10.0.0.1/24", "10.9.0.7/24"});
}

TEST_CASE("ip addresses: it declines what it could not answer for", "[agent][network]") {
  Machine machine;
  auto& interface = machine.ip.interfaces["vmbr0"];
  const auto wished = GENERATE(as<std::string>(), "", R"("10.0.0.2/24")");
  if (!wished.empty()) {
    SECTION("a leased address") { interface.addresses[0].dynamic = true; }
    SECTION("a link to one machine") { interface.addresses[0].peer = "10.0.0.9"; }
    SECTION("a route of another form") {
      interface.routes = {R"({"dst":"10.5.0.0/16","metrics":[{"mtu":1400}],"flags":[]})"};
    }
  }

  const auto planned =
      IpAddresses::plan(wish(wished).reader(), must(machine.observe(wished)).reader());

  REQUIRE_FALSE(planned);
  CHECK(planned.error().fault == Fault::refused);
}

TEST_CASE("ip addresses: an interface that is not there is missing", "[agent][network]") {
  Machine machine;
  machine.ip.interfaces.clear();

  CHECK(machine.observe(R"("10.0.0.1/24")").error().fault == Fault::missing);
}

TEST_CASE("ip addresses: nothing that is no address gets to the kernel", "[agent][network]") {
  Machine machine;
  const auto wished = GENERATE(as<std::string>(), R"("10.0.0.1")", R"("10.0.0.1/33")",
                               R"("010.0.0.1/24")", R"("-h/24")", R"("::1/64")");

  CHECK(machine.observe(wished).error().fault == Fault::invalid);
  CHECK(machine.host.ran().empty());
}

TEST_CASE("ipv4: what ip prints of another interface, or not at all, is no answer",
          "[agent][network]") {
  CHECK_FALSE(parse_ipv4(R"([{"ifname":"eth1","addr_info":[]}])", "eth0"));
  CHECK_FALSE(parse_ipv4("", "eth0"));
  CHECK_FALSE(parse_ipv4(R"([{"ifname":"eth0","addr_info":[{"local":"10.0.0.1"}]}])", "eth0"));
  Ipv4 none;
  CHECK_FALSE(parse_ipv4_routes("{}", none));
  CHECK_FALSE(parse_ipv4_routes(R"([{"gateway":"10.0.0.1"}])", none));
}

TEST_CASE("ipv4: a route is told in the words that make it again", "[agent][network]") {
  Ipv4 found;

  must(parse_ipv4_routes(
      R"([{"dst":"default","gateway":"10.0.0.254","table":"7","protocol":"static","scope":"link",
           "metric":100,"prefsrc":"10.0.0.1","flags":["onlink"]},
          {"dst":"10.0.0.0/24","protocol":"kernel","flags":[]},
          {"type":"blackhole","dst":"10.7.0.0/16","flags":[]}])",
      found));

  CHECK(found.routes == Texts{"default via 10.0.0.254 table 7 proto static scope link metric 100 "
                              "src 10.0.0.1 onlink"});
  CHECK(found.odd_routes == Texts{"10.7.0.0/16"});
}

}  // namespace relab::agent::network
