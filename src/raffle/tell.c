/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for the operator's log (raffle_host.log): called where a call begins or ends, with no lock held and no log led. */
#include "raffle_impl.h"

#include "error.h"

void rf_tell(const raffle *r, int32_t level, const char *line)
{
    if (r->host.log != NULL)
        r->host.log(r->host.ctx, level, line);
}

void rf_tell_log(const raffle *r, rf_log *log)
{
    raffle_error sentence = RAFFLE_ERROR_INIT;
    rf_notice what;
    if (r->host.log == NULL || log == NULL)
        return;
    while ((what = rf_log_notice(log, &sentence)) != RF_NOTICE_NONE) {
        const int32_t level = what == RF_NOTICE_STOPPED  ? RAFFLE_LOG_ERROR
                              : what == RF_NOTICE_ANCHOR ? RAFFLE_LOG_WARNING
                                                         : RAFFLE_LOG_INFO;
        rf_tell(r, level, sentence.message);
    }
}
