// Drives a CXXRTL model of a generated design through its AXI4-Stream ports.
// Compiled with -DMODEL="<file>" -DTOP=<class>, with -DCONFIG when there is a configuration stream,
// and with -DWEIGHTS when weights lie outside.
#include <cstddef>
#include <cstdint>

#include MODEL

namespace {

// True in clocks that stall: a given part of them, in runs of two and more on average. Drawn with
// Marsaglia's xorshift64, so that they are the same on every machine.
class Stalls {
 public:
  Stalls(double part, uint64_t seed) : state(seed) {
    double stay_part = part > 0.5 ? part : 0.5;
    stay = scaled(part > 0 ? stay_part : 0);
    begin = scaled(part > 0 ? part * (1 - stay_part) / (1 - part) : 0);
  }
  bool next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return now = (state >> 32) < (now ? stay : begin);
  }

 private:
  static uint64_t scaled(double part) { return static_cast<uint64_t>(part * 4294967296.0); }
  uint64_t state, stay, begin;
  bool now = false;
};

using Design = cxxrtl_design::TOP;

bool bit(uint64_t value) { return value != 0; }

void clock_edge(Design &top) {
  top.p_clk.set<uint32_t>(1);
  top.step();
  top.p_clk.set<uint32_t>(0);
}

}  // namespace

struct Job {
  const uint64_t *config;  // configuration beats, if any
  size_t config_words;
  const uint64_t *input;  // [frames, input_words]
  size_t frames, input_words, output_words;
  const uint64_t *input_counts, *output_counts;  // [frames]: words of each
  const uint8_t *weights;  // [weight_count, bytes of a beat], low byte first
  const uint64_t *bursts;  // [weight_count]: words of the burst that begins there, or 0
  size_t weight_count;
  uint64_t *output;        // [frames, output_words]
  int64_t *first, *last;   // [frames]: clock of the first input and of the last output beat
  double stall;            // part of the clocks in which each stream stalls
  uint64_t seed;           // not 0
  uint64_t patience;       // clocks without any transfer after which to give up
  uint64_t clocks;         // out: clocks run
  uint64_t frames_out, words_out;  // out: whole frames received, and words of the next
};

enum Status {
  OK, TIMEOUT, MISPLACED_LAST, UNSTABLE, FRAME_ERROR, EXTRA, UNSENT, BAD_REQUEST, UNSTABLE_REQUEST
};

#ifdef WEIGHTS
// Answers requests for bursts of weights. A request is taken when at most one word of the burst
// before is left. The first word of a burst is offered in the clock after its request, or after the
// last word of the burst before. No output depends on an input in the same clock.
class Memory {
 public:
  Memory(const Job *job)
      : job(job), words(job->stall, job->seed ^ 0xd1b54a32d192ed03ull),
        requests(job->stall, job->seed ^ 0x8cb92ba72f3d8dd7ull) {}
  void offer(Design &top) {
    bool idle = words.next(), refused = requests.next();
    offered = left > 0 && (offered || !idle);
    open = left <= 1 && !pending && !refused;
    top.p_r__axis__tready.set<uint32_t>(open);
    top.p_w__axis__tvalid.set<uint32_t>(offered);
    top.p_w__axis__tlast.set<uint32_t>(left == 1);
    const uint8_t *word = job->weights + address % job->weight_count * BYTES;
    for (size_t k = 0; k < CHUNKS; k++) {
      uint32_t chunk = 0;
      for (size_t j = 4 * k; j < BYTES && j < 4 * k + 4; j++)
        chunk |= uint32_t(word[j]) << 8 * (j - 4 * k);
      // Wrong on purpose while it is not valid.
      top.p_w__axis__tdata.data[k] = offered ? chunk : ~chunk & mask(k);
    }
  }
  Status look(Design &top) {
    bool valid = bit(top.p_r__axis__tvalid.get<uint32_t>());
    uint64_t request = top.p_r__axis__tdata.get<uint64_t>();
    if (waiting && (!valid || request != held)) return UNSTABLE_REQUEST;
    waiting = valid && !open;
    held = request;
    if (offered && bit(top.p_w__axis__tready.get<uint32_t>())) {
      address++;
      left--;
      offered = false;
    }
    if (valid && open) {
      pending = true;
      wanted = request;
    }
    if (pending && !left) {
      pending = false;
      address = wanted;
      left = address < job->weight_count ? job->bursts[address] : 0;
      if (!left) return BAD_REQUEST;
    }
    return OK;
  }

 private:
  static constexpr size_t BITS = decltype(Design::p_w__axis__tdata)::bits;
  static constexpr size_t BYTES = BITS / 8, CHUNKS = (BITS + 31) / 32;
  static uint32_t mask(size_t chunk) {
    size_t above = 32 * CHUNKS - BITS;
    return chunk + 1 == CHUNKS ? ~uint32_t(0) >> above : ~uint32_t(0);
  }
  const Job *job;
  Stalls words, requests;
  uint64_t address = 0, left = 0, wanted = 0, held = 0;
  bool offered = false, open = false, pending = false, waiting = false;
};
#endif

extern "C" int gatesmith_run(Job *job) {
  Design top;
  Stalls source(job->stall, job->seed), sink(job->stall, job->seed ^ 0x9e3779b97f4a7c15ull);
  top.p_clk.set<uint32_t>(0);
  top.p_rst.set<uint32_t>(1);
  for (int k = 0; k < 4; k++) {
    top.step();
    clock_edge(top);
  }
  top.p_rst.set<uint32_t>(0);
  uint64_t clock = 0, quiet = 0;
#ifdef CONFIG
  for (size_t sent = 0; sent < job->config_words; clock++) {
    top.p_c__axis__tvalid.set<uint32_t>(1);
    top.p_c__axis__tdata.set<uint64_t>(job->config[sent]);
    top.p_c__axis__tlast.set<uint32_t>(sent + 1 == job->config_words);
    top.step();
    bool taken = bit(top.p_c__axis__tready.get<uint32_t>());
    sent += taken;
    quiet = taken ? 0 : quiet + 1;
    clock_edge(top);
    if (quiet > job->patience) return TIMEOUT;
  }
  top.p_c__axis__tvalid.set<uint32_t>(0);
#endif
#ifdef WEIGHTS
  Memory memory(job);
#endif
  size_t sent = 0, word = 0;  // frames sent, and words of the next
  bool offered = false, waiting = false;
  uint64_t held = 0;
  bool held_last = false;
  job->frames_out = job->words_out = 0;
  // A few clocks more, in which nothing may come out any more.
  for (uint64_t rest = 64; job->frames_out < job->frames || rest--; clock++) {
    bool idle = source.next(), ready = !sink.next();
    offered = sent < job->frames && (offered || !idle);
    top.p_s__axis__tvalid.set<uint32_t>(offered);
    if (offered) {
      top.p_s__axis__tdata.set<uint64_t>(job->input[sent * job->input_words + word]);
      top.p_s__axis__tlast.set<uint32_t>(word + 1 == job->input_counts[sent]);
    }
    top.p_m__axis__tready.set<uint32_t>(ready);
#ifdef WEIGHTS
    memory.offer(top);
#endif
    top.step();
#ifdef WEIGHTS
    Status moved = memory.look(top);
    if (moved) return moved;
#endif
    quiet++;
    if (offered && bit(top.p_s__axis__tready.get<uint32_t>())) {
      if (word == 0) job->first[sent] = clock;
      if (++word == job->input_counts[sent]) {
        sent++;
        word = 0;
      }
      offered = false;
      quiet = 0;
    }
    bool valid = bit(top.p_m__axis__tvalid.get<uint32_t>());
    uint64_t data = top.p_m__axis__tdata.get<uint64_t>();
    bool last = bit(top.p_m__axis__tlast.get<uint32_t>());
    job->clocks = clock + 1;
    if (bit(top.p_frame__error.get<uint32_t>())) return FRAME_ERROR;
    if (waiting && (!valid || data != held || last != held_last)) return UNSTABLE;
    waiting = valid && !ready;
    held = data;
    held_last = last;
    if (valid && ready) {
      quiet = 0;
      if (job->frames_out == job->frames) return EXTRA;
      job->output[job->frames_out * job->output_words + job->words_out] = data;
      if (last != (job->words_out + 1 == job->output_counts[job->frames_out])) return MISPLACED_LAST;
      if (last) {
        job->last[job->frames_out++] = clock;
        job->words_out = 0;
      } else {
        job->words_out++;
      }
    }
    clock_edge(top);
    if (quiet > job->patience && job->frames_out < job->frames) return TIMEOUT;
  }
  return sent == job->frames ? OK : UNSENT;
}
