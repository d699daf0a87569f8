/* SPDX-License-Identifier: Apache-2.0 */
/* Witness policies and what witnesses answer: a policy that is accepted keeps its rules, and of any answer to a note only the one right cosignature is kept. */
#include "fuzz.h"
#include "policy.h"

#define NOTE                                                                                                           \
    "raffle.example/log1\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n\n"                                       \
    "\xe2\x80\x94 raffle.example/log1 "                                                                                \
    "jEaLg3a62T/EyZwhPUG1HP1yJnlnfBopJbjeW5WfBWBYCzs8FjZDQ6NsYw2biw7eXZxVspHV9He2WPhfdUkqeHJQuwc=\n"
#define COSIGNATURE                                                                                                    \
    "\xe2\x80\x94 witness.example/w1 "                                                                                 \
    "IDJKvgAAAABlU/EA4psL2w6kvHjunCR6iRRvgW1vfNjzqReh15E9Y4oTdcW44LvHXlaXBM0A6gx3875GPmcFYk9HqMNrS9Qlp5auBA==\n"
#define POLICY "witness w witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X\nquorum w\n"

static void check_groups(const rf_policy *policy)
{
    uint64_t used = 0;
    for (size_t i = 0; i < policy->groups; i++) {
        const rf_policy_group *g = &policy->group[i];
        const uint64_t before = ((UINT64_C(1) << policy->witnesses) - 1) | ((UINT64_C(1) << i) - 1)
                                                                               << RF_POLICY_WITNESSES;
        fuzz_require(g->members != 0 && (g->members & ~before) == 0, "a group's members come before it");
        fuzz_require((g->members & used) == 0, "a name is a member once");
        fuzz_require(g->needed >= 1 && g->needed <= (unsigned)__builtin_popcountll(g->members),
                     "a group can be reached");
        used |= g->members;
    }
    fuzz_require(__builtin_popcountll(policy->quorum) == 1, "there is one quorum");
}

static void check_policy(const char *text, size_t length)
{
    static rf_policy policy;
    if (rf_policy_parse(&policy, text, length, NULL) != RAFFLE_OK)
        return;
    fuzz_require(policy.witnesses >= 1 && policy.witnesses <= RF_POLICY_WITNESSES && policy.groups <= RF_POLICY_GROUPS,
                 "a policy has witnesses");
    check_groups(&policy);
    const uint64_t all = (UINT64_C(1) << policy.witnesses) - 1;
    fuzz_require(rf_policy_reached(&policy, all), "all together are a quorum");
    fuzz_require(!rf_policy_reached(&policy, 0), "nobody is none");
    uint64_t some = 0; /* one after the other: what is reached stays reached */
    bool reached = false;
    for (size_t i = 0; i < policy.witnesses; i++) {
        some |= UINT64_C(1) << i;
        fuzz_require(!reached || rf_policy_reached(&policy, some), "one more takes no quorum away");
        reached = rf_policy_reached(&policy, some);
    }
}

static void check_answer(const char *text, size_t length)
{
    static rf_policy policy;
    static char note[RF_NOTE_MAX];
    uint64_t by = 0;
    const size_t own = strlen(NOTE), line = strlen(COSIGNATURE);
    size_t n = own;
    fuzz_require(rf_policy_parse(&policy, POLICY, strlen(POLICY), NULL) == RAFFLE_OK, "the policy is one");
    memcpy(note, NOTE, own);
    if (rf_policy_add(&policy, note, sizeof note, &n, text, length, &by, NULL) != RAFFLE_OK) {
        fuzz_require(n == own, "nothing is kept of an answer that is refused");
        return;
    }
    fuzz_require(by == 1 && n == own + line && memcmp(note, NOTE, own) == 0 &&
                     memcmp(note + own, COSIGNATURE, line) == 0,
                 "only the cosignature is kept");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_policy(text, size);
    check_answer(text, size);
    return 0;
}
