#include "controller/run/impostor.h"

#include <fmt/format.h>
#include <zmq.hpp>

#include "common/wire/poll.h"
#include "controller/link/client.h"

namespace relab::controller {

namespace {

bool answers(const std::string& endpoint, const Party& party, const crypto::Keys& keys,
             std::chrono::milliseconds patience) {
  zmq::context_t context;
  Client client(context, {.endpoint = endpoint,
                          .server_key_z85 = crypto::z85(party.curve_key),
                          .own_public_z85 = crypto::z85(keys.curve_key()),
                          .own_secret_z85 = keys.curve_secret_z85()});
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    zmq::pollitem_t items[] = {{client.events_handle(), 0, ZMQ_POLLIN, 0}};
    wait_for(items, Millis(50));
    client.tend();
    // Whoever holds the key completes the handshake, or, if it does not obey us, refuses after it.
    if (client.up() || client.trouble() == Trouble::not_admitted) return true;
    if (client.trouble() != Trouble::none) return false;
  }
  return false;
}

}  // namespace

Error name_impostor(const Session& session, const State& state, const crypto::Keys& keys,
                    std::chrono::milliseconds patience) {
  auto error = session.trouble();
  if (session.link_trouble() != Trouble::other_key) return error;
  for (const auto& [name, party] : state.known_agents()) {
    if (party.sign_key == session.agent().party.sign_key ||
        !answers(session.agent().endpoint, party, keys, patience))
      continue;
    error.what += fmt::format(", came {}, which is the key of '{}'",
                              crypto::fingerprint(party.sign_key), name);
    error.hint =
        "are the addresses of two agents mixed up in lab.toml, or was that machine enrolled under "
        "another name?";
    return error;
  }
  error.what += ", came a key that this ledger has never seen";
  error.hint = "`relab-agent identity` there prints its fingerprint; " + error.hint;
  return error;
}

}  // namespace relab::controller
