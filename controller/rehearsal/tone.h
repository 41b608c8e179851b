#pragma once

/// How much it matters what an actor says.

namespace relab::rehearsal {

enum class Tone {
  news,
  /// It is still at it: time goes on as if nobody had said anything.
  murmur,
};

}  // namespace relab::rehearsal
