/// Offer, answer, confirm, done. The controller is pinned when its confirmation came: then it has
/// our identity on record. If `done` is lost, the operator enrols again with a new code, and both
/// sides already hold the same keys.

#include "agent/enrol/enrol.h"

#include <fmt/format.h>
#include <optional>
#include <zmq.hpp>

#include "agent/journal/journal.h"
#include "agent/link/server.h"
#include "agent/service/machine.h"
#include "agent/trust/trust.h"
#include "common/wire/poll.h"

namespace relab::agent {

namespace {

constexpr std::size_t frame_size_max = std::size_t{16} << 10U;

class Ceremony {
 public:
  Ceremony(const EnrolRequest& request, const crypto::EnrolCode& code, const crypto::Keys& keys)
      : request_(request), code_(code), keys_(keys) {
    own_ = state_identity(keys, {.role = schema::Role::AGENT,
                                 .name = request.name,
                                 .machine_id = machine_id(keys),
                                 .agent_role = request.role});
  }

  /// The reply to a frame, if it deserves one.
  Result<std::optional<Bytes>> take(ByteView frame);
  const std::optional<Enrolment>& done() const { return done_; }

 private:
  Result<std::optional<Bytes>> take_offer(schema::EnrolOffer::Reader offer);
  Result<std::optional<Bytes>> take_confirm(schema::EnrolConfirm::Reader confirm);
  template <typename T>
  std::optional<Bytes> signed_reply(Draft<T> draft) const {
    const auto frame = sign(keys_, std::move(draft).finish());
    return Bytes(frame.bytes().begin(), frame.bytes().end());
  }

  const EnrolRequest& request_;
  const crypto::EnrolCode& code_;
  const crypto::Keys& keys_;
  Bytes own_;
  std::optional<Enrolment> offered_;
  std::optional<Enrolment> done_;
};

Result<std::optional<Bytes>> Ceremony::take(ByteView frame) {
  const auto opening = open_frame(frame, frame_size_max, [](const auto&) { return true; });
  if (!opening.opened) return std::optional<Bytes>();
  if (const auto offer = opening.opened->as<schema::EnrolOffer>())
    return take_offer(offer->reader());
  if (const auto confirm = opening.opened->as<schema::EnrolConfirm>())
    return take_confirm(confirm->reader());
  return std::optional<Bytes>();
}

Result<std::optional<Bytes>> Ceremony::take_offer(schema::EnrolOffer::Reader offer) {
  const auto lab = str(offer.getLab());
  if (!crypto::equal(view(offer.getProof()),
                     code_.proof("offer", {view(offer.getIdentity()), bytes_of(lab)})))
    return std::optional<Bytes>();
  RELAB_TRY(auto controller, read_identity(view(offer.getIdentity()), schema::Role::CONTROLLER));
  Draft<schema::EnrolAnswer> answer;
  answer->setIdentity(blob(own_));
  answer->setProof(blob(code_.proof("answer", {controller.statement, own_})));
  offered_ = Enrolment{.controller = std::move(controller), .lab = lab};
  return signed_reply(std::move(answer));
}

Result<std::optional<Bytes>> Ceremony::take_confirm(schema::EnrolConfirm::Reader confirm) {
  if (!offered_ || !crypto::equal(view(confirm.getProof()),
                                  code_.proof("confirm", {offered_->controller.statement, own_})))
    return std::optional<Bytes>();
  // Before anything is changed: a journal that cannot be opened must not leave half an enrolment.
  RELAB_TRY(auto journal, Journal::open(request_.state_dir));
  RELAB_TRY(auto trust, Trust::load(request_.state_dir));
  RELAB_CHECK(trust.add(request_.state_dir, offered_->controller, offered_->lab));
  // Whoever enrols anew may have lost the ledger before: this is the way to begin another one.
  RELAB_CHECK(journal.forget_checkpoint(offered_->controller.sign_key));
  Draft<schema::EnrolDone> done;
  done->setProof(blob(code_.proof("done", {offered_->controller.statement, own_})));
  done_ = offered_;
  return signed_reply(std::move(done));
}

}  // namespace

Result<Enrolment> await_enrolment(const EnrolRequest& request, const crypto::EnrolCode& code,
                                  const Signals& signals) {
  RELAB_TRY(const auto keys, load_or_make_keys(request.state_dir));
  Ceremony ceremony(request, code, keys);
  const auto own = code.agent_pair();
  const auto other = code.controller_pair();
  zmq::context_t context;
  RELAB_TRY(auto server, Server::open(context, {.endpoint = request.endpoint,
                                                .curve_secret_z85 = own.secret_z85,
                                                .curve_public_z85 = own.public_z85,
                                                .admits = [&](std::string_view key) {
                                                  return key == other.public_z85;
                                                }}));
  RELAB_CHECK(request.ready());
  auto until = now_of_system().steady + request.patience;
  while (now_of_system().steady < until) {
    zmq::pollitem_t items[] = {{server.frames_handle(), 0, ZMQ_POLLIN, 0},
                               {server.handshakes_handle(), 0, ZMQ_POLLIN, 0},
                               {nullptr, signals.fd(), ZMQ_POLLIN, 0}};
    wait_for(items, Millis(ceremony.done() ? 50 : 1000));
    if (signals.take())
      return fail(Fault::cancelled, "the enrolment was ended by a signal; nothing has changed");
    server.admit();
    while (const auto incoming = server.receive()) {
      RELAB_TRY(const auto reply, ceremony.take(incoming->frame));
      if (reply) static_cast<void>(server.send(incoming->route, *reply).has_value());
      // A moment for the last frame to leave: nothing waits for it here.
      if (ceremony.done()) until = now_of_system().steady + Millis(300);
    }
  }
  if (ceremony.done()) return *ceremony.done();
  return fail(Fault::cancelled,
              fmt::format("nobody came with the code within {}", human(request.patience)),
              "run the command again for a new code");
}

}  // namespace relab::agent
