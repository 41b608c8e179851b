#include "agent/kinds/network/ip_addresses.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/network/ipv4.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

using Params = schema::IpAddresses;
using Facts = schema::IpAddresses::Facts;
using Address = schema::IpAddresses::Address;
using Texts = std::vector<std::string>;

/// A name of an interface, which `ip` cannot take for an option.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() < 16 && name[0] != '-' &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 127 && c != '/'; });
}

Result<void> check_wish(Params::Reader params) {
  if (!is_name(view(params.getInterface())))
    return fail(Fault::invalid,
                fmt::format("'{}' is no network interface", str(params.getInterface())));
  for (const auto address : params.getAddresses())
    if (!is_ipv4_cidr(view(address)))
      return fail(Fault::invalid,
                  fmt::format("'{}' is no IPv4 address with a prefix", str(address)));
  return {};
}

bool has(const Texts& texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

Texts cidrs_of(Facts::Reader facts) {
  Texts cidrs;
  for (const auto address : facts.getAddresses()) cidrs.push_back(str(address.getCidr()));
  return cidrs;
}

Change addition(const std::string& cidr, const std::string& interface, const Texts& options = {}) {
  Change change{.what = fmt::format("+ address {} on {}", cidr, interface),
                .how = {"add", interface, cidr}};
  change.how.insert(change.how.end(), options.begin(), options.end());
  return change;
}

/// `kept` are the addresses that must be there afterwards.
Change removal(const std::string& cidr, const std::string& interface, const Texts& kept) {
  Change change{.what = fmt::format("- address {} on {}", cidr, interface),
                .how = {"remove", interface, cidr}};
  change.how.insert(change.how.end(), kept.begin(), kept.end());
  return change;
}

Change route(const std::string& words, const std::string& interface) {
  return {.what = fmt::format("+ route {} over {}", words, interface),
          .how = {"route", interface, words}};
}

/// The options of `ip address add` that make it again as it was.
Texts options_of(Address::Reader address, const std::string& interface) {
  Texts options;
  const auto add = [&](std::string_view option, capnp::Text::Reader value) {
    if (value.size() == 0) return;
    options.emplace_back(option);
    options.push_back(str(value));
  };
  add("broadcast", address.getBroadcast());
  add("scope", address.getScope());
  // Labels that do not begin with the interface's name are refused.
  if (view(address.getLabel()).starts_with(interface)) add("label", address.getLabel());
  return options;
}

/// Why nothing may be changed while it is like that.
Result<void> check_changeable(Facts::Reader facts, const Texts& wish) {
  for (const auto address : facts.getAddresses()) {
    if (address.getPeer().size() != 0)
      return fail(Fault::refused, fmt::format("{} is one end of a link to {}: such addresses are "
                                              "left alone",
                                              str(address.getCidr()), str(address.getPeer())));
    if (address.getDynamic() && !has(wish, str(address.getCidr())))
      return fail(Fault::refused,
                  fmt::format("{} on {} is leased: its lease would bring it back",
                              str(address.getCidr()), str(facts.getInterface())),
                  "end the DHCP client of that interface first");
  }
  if (facts.getOddRoutes().size() == 0) return {};
  return fail(Fault::refused,
              fmt::format("a route over {} could not be put back if it was lost: {}",
                          str(facts.getInterface()), str(facts.getOddRoutes()[0])));
}

/// Exit codes of `ip` are for us, what is there counts for the task.
Result<void> run_ip(Host& host, Texts argv) {
  argv.insert(argv.begin(), {"ip", "-4"});
  RELAB_TRY(const auto output, host.run({.argv = argv}));
  if (output.status == 0) return {};
  return fail(Fault::damaged, fmt::format("'{}' ended with {}: {}", fmt::join(argv, " "),
                                          output.status, first_words(output)));
}

Result<void> run_add(Host& host, const std::string& interface, const std::string& cidr,
                     const Texts& options) {
  Texts argv = {"address", "add", cidr};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), {"dev", interface});
  return run_ip(host, std::move(argv));
}

Result<void> put_route(Host& host, const std::string& interface, const std::string& words_of_it) {
  Texts argv = {"route", "replace"};
  for (const auto word : words(words_of_it)) argv.emplace_back(word);
  argv.insert(argv.end(), {"dev", interface});
  return run_ip(host, std::move(argv));
}

bool has_address(const Ipv4& ipv4, const std::string& cidr) {
  return std::ranges::find(ipv4.addresses, cidr, &Ipv4Address::cidr) != ipv4.addresses.end();
}

Texts options_of(const Ipv4Address& address, const std::string& interface) {
  Draft<Address> draft;
  draft->setBroadcast(address.broadcast);
  draft->setScope(address.scope);
  draft->setLabel(address.label);
  return options_of(draft->asReader(), interface);
}

/// Removes one address, and puts back what went with it: other addresses of its subnet, and, with
/// the last address, all routes.
Result<void> remove_address(Host& host, const std::string& interface, const std::string& cidr,
                            const Texts& kept) {
  RELAB_TRY(const auto before, read_ipv4(host, interface));
  if (!has_address(before, cidr)) return {};
  RELAB_CHECK(run_ip(host, {"address", "del", cidr, "dev", interface}));
  RELAB_TRY(const auto after, read_ipv4(host, interface));
  for (const auto& address : before.addresses)
    if (has(kept, address.cidr) && !has_address(after, address.cidr))
      RELAB_CHECK(run_add(host, interface, address.cidr, options_of(address, interface)));
  for (const auto& words_of_it : before.routes)
    if (!has(after.routes, words_of_it)) RELAB_CHECK(put_route(host, interface, words_of_it));
  return {};
}

}  // namespace

Result<Message<Facts>> IpAddresses::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  const auto interface = str(params.getInterface());
  RELAB_TRY(const auto found, read_ipv4(host, interface));
  Draft<Facts> facts;
  facts->setInterface(interface);
  fill(facts->initAddresses(size_of(found.addresses)), found.addresses,
       [](Address::Builder row, const Ipv4Address& address) {
         row.setCidr(address.cidr);
         row.setBroadcast(address.broadcast);
         row.setLabel(address.label);
         row.setScope(address.scope);
         row.setDynamic(address.dynamic);
         row.setPeer(address.peer);
       });
  auto routes = facts->initRoutes(size_of(found.routes));
  for (unsigned i = 0; i < routes.size(); ++i) routes.set(i, found.routes[i]);
  auto odd = facts->initOddRoutes(size_of(found.odd_routes));
  for (unsigned i = 0; i < odd.size(); ++i) odd.set(i, found.odd_routes[i]);
  return std::move(facts).finish();
}

Result<std::vector<Change>> IpAddresses::plan(Params::Reader params, Facts::Reader facts) {
  const auto interface = str(params.getInterface());
  const auto wish = texts_of(params.getAddresses());
  if (wish.empty())
    return fail(Fault::refused, fmt::format("no address would be left on {}", interface),
                "give at least one address");
  const auto now = cidrs_of(facts);
  std::vector<Change> changes;
  for (const auto& cidr : wish)
    if (!has(now, cidr) &&
        std::ranges::none_of(changes, [&](const Change& change) { return change.how[2] == cidr; }))
      changes.push_back(addition(cidr, interface));
  for (const auto& cidr : now)
    if (!has(wish, cidr)) changes.push_back(removal(cidr, interface, wish));
  if (!changes.empty()) RELAB_CHECK(check_changeable(facts, wish));
  return changes;
}

Result<void> IpAddresses::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() >= 3);
  const auto& interface = change.how[1];
  const auto& subject = change.how[2];
  const Texts rest(change.how.begin() + 3, change.how.end());
  if (change.how[0] == "route") return put_route(host, interface, subject);
  if (change.how[0] == "remove") return remove_address(host, interface, subject, rest);
  RELAB_TRY(const auto now, read_ipv4(host, interface));
  if (has_address(now, subject)) return {};
  return run_add(host, interface, subject, rest);
}

std::vector<Change> IpAddresses::revert(Params::Reader params, Facts::Reader before,
                                        Facts::Reader now) {
  const auto interface = str(params.getInterface());
  const auto wish = texts_of(params.getAddresses());
  const auto earlier = cidrs_of(before);
  const auto present = cidrs_of(now);
  const auto routes = texts_of(now.getRoutes());
  const auto is_ours = [&](const std::string& cidr) {
    return has(wish, cidr) && !has(earlier, cidr);
  };
  auto kept = earlier;
  for (const auto& cidr : present)
    if (!has(kept, cidr) && !is_ours(cidr)) kept.push_back(cidr);
  std::vector<Change> changes;
  for (const auto address : before.getAddresses())
    if (const auto cidr = str(address.getCidr()); !has(present, cidr))
      changes.push_back(addition(cidr, interface, options_of(address, interface)));
  for (const auto& cidr : present)
    if (is_ours(cidr)) changes.push_back(removal(cidr, interface, kept));
  for (const auto words_of_it : before.getRoutes())
    if (!has(routes, str(words_of_it))) changes.push_back(route(str(words_of_it), interface));
  return changes;
}

}  // namespace relab::agent::network
