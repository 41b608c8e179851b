/// Offer, answer, confirm, done: see agent/enrol. The agent goes into the ledger before the
/// confirmation leaves, so that an agent never obeys a controller that does not know it.

#include "controller/run/enrol.h"

#include <fmt/format.h>
#include <zmq.hpp>

#include "common/wire/poll.h"
#include "controller/link/client.h"

namespace relab::controller {

namespace {

constexpr std::size_t frame_size_max = std::size_t{16} << 10U;
constexpr auto resend_interval = std::chrono::seconds(2);

class Ceremony {
 public:
  Ceremony(const EnrolRequest& request, const crypto::EnrolCode& code, Book& book,
           const crypto::Keys& keys)
      : request_(request),
        code_(code),
        book_(book),
        keys_(keys),
        own_(state_identity(keys, {.role = schema::Role::CONTROLLER, .name = request.controller})) {
  }

  Message<schema::Envelope> offer() const {
    Draft<schema::EnrolOffer> offer;
    offer->setIdentity(blob(own_));
    offer->setLab(request_.lab);
    offer->setProof(blob(code_.proof("offer", {own_, bytes_of(request_.lab)})));
    return sign(keys_, std::move(offer).finish());
  }

  /// The frame to send back, if any.
  Result<std::optional<Message<schema::Envelope>>> take(ByteView frame) {
    const auto opening = open_frame(frame, frame_size_max, [](const auto&) { return true; });
    if (!opening.opened) return std::optional<Message<schema::Envelope>>();
    if (const auto answer = opening.opened->as<schema::EnrolAnswer>())
      return take_answer(answer->reader());
    const auto done = opening.opened->as<schema::EnrolDone>();
    if (done && agent_ &&
        crypto::equal(view(done->reader().getProof()),
                      code_.proof("done", {own_, agent_->statement})))
      finished_ = true;
    return std::optional<Message<schema::Envelope>>();
  }

  bool finished() const { return finished_; }
  const std::optional<Party>& agent() const { return agent_; }

 private:
  Result<std::optional<Message<schema::Envelope>>> take_answer(schema::EnrolAnswer::Reader answer) {
    if (!crypto::equal(view(answer.getProof()),
                       code_.proof("answer", {own_, view(answer.getIdentity())})))
      return std::optional<Message<schema::Envelope>>();
    RELAB_TRY(auto agent, read_identity(view(answer.getIdentity()), schema::Role::AGENT));
    const auto known = book_.state().agents().find(request_.agent);
    if (known == book_.state().agents().end() || known->second.party.sign_key != agent.sign_key ||
        known->second.endpoint != request_.endpoint ||
        known->second.party.machine_id != agent.machine_id ||
        (request_.reinstalled && known->second.before.empty()))
      RELAB_CHECK(book_.enrolled({.name = request_.agent,
                                  .endpoint = request_.endpoint,
                                  .agent = agent,
                                  .reinstalled = request_.reinstalled}));
    Draft<schema::EnrolConfirm> confirm;
    confirm->setProof(blob(code_.proof("confirm", {own_, agent.statement})));
    agent_ = std::move(agent);
    return std::optional(sign(keys_, std::move(confirm).finish()));
  }

  const EnrolRequest& request_;
  const crypto::EnrolCode& code_;
  Book& book_;
  const crypto::Keys& keys_;
  Bytes own_;
  std::optional<Party> agent_;
  bool finished_ = false;
};

}  // namespace

Result<Party> enrol(const EnrolRequest& request, const crypto::EnrolCode& code, Book& book,
                    const crypto::Keys& keys, const Signals& signals) {
  Ceremony ceremony(request, code, book, keys);
  const auto own = code.controller_pair();
  zmq::context_t context;
  Client client(context, {.endpoint = request.endpoint,
                          .server_key_z85 = code.agent_pair().public_z85,
                          .own_public_z85 = own.public_z85,
                          .own_secret_z85 = own.secret_z85});
  const auto until = std::chrono::steady_clock::now() + request.patience;
  auto next_offer = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < until && !ceremony.finished()) {
    zmq::pollitem_t items[] = {{client.frames_handle(), 0, ZMQ_POLLIN, 0},
                               {client.events_handle(), 0, ZMQ_POLLIN, 0},
                               {nullptr, signals.fd(), ZMQ_POLLIN, 0}};
    wait_for(items, Millis(100));
    if (signals.take()) return fail(Fault::cancelled, "the enrolment was ended by a signal");
    client.tend();
    if (client.up() && !ceremony.agent() && std::chrono::steady_clock::now() >= next_offer) {
      next_offer = std::chrono::steady_clock::now() + resend_interval;
      static_cast<void>(client.send(ceremony.offer().bytes()).has_value());
    }
    while (const auto frame = client.receive()) {
      RELAB_TRY(const auto reply, ceremony.take(*frame));
      if (reply) static_cast<void>(client.send(reply->bytes()).has_value());
    }
  }
  if (ceremony.finished()) return *ceremony.agent();
  if (ceremony.agent())
    return fail(
        Fault::unreachable,
        fmt::format("the agent '{}' is recorded, but did not say that it pinned this controller",
                    request.agent),
        "run `relab-agent trust` there; if this controller is missing, enrol again with a new "
        "code");
  if (client.trouble() == Trouble::other_key || client.trouble() == Trouble::not_admitted)
    return fail(Fault::refused,
                fmt::format("what listens at {} does not wait for this code", request.endpoint),
                "is `relab-agent enrol` still running there, and is this the code that it shows?");
  return fail(Fault::unreachable,
              fmt::format("nothing waits for an enrolment at {}", request.endpoint),
              "run `relab-agent enrol` on that machine first, and check the address");
}

}  // namespace relab::controller
