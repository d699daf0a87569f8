/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, a row each of the table in main.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

extern const command cmd_ack;
extern const command cmd_audit;
extern const command cmd_backup;
extern const command cmd_cash;
extern const command cmd_claim;
extern const command cmd_counterfoils;
extern const command cmd_create;
extern const command cmd_draw;
extern const command cmd_erase;
extern const command cmd_event;
extern const command cmd_events;
extern const command cmd_evidence;
extern const command cmd_forfeit;
extern const command cmd_pick;
extern const command cmd_import;
extern const command cmd_mirror;
extern const command cmd_official;
extern const command cmd_order;
extern const command cmd_print;
extern const command cmd_publish;
extern const command cmd_receipt;
extern const command cmd_report;
extern const command cmd_reprint;
extern const command cmd_restore;
extern const command cmd_rng_assess;
extern const command cmd_rng_health;
extern const command cmd_rng_sample;
extern const command cmd_seal;
extern const command cmd_selfcheck;
extern const command cmd_sell;
extern const command cmd_show;
extern const command cmd_status;
extern const command cmd_ticket;
extern const command cmd_timestamp;
extern const command cmd_unit_apply;
extern const command cmd_unit_challenge;
extern const command cmd_unit_close;
extern const command cmd_unit_disable;
extern const command cmd_unit_enable;
extern const command cmd_unit_enrol;
extern const command cmd_unit_export;
extern const command cmd_unit_install;
extern const command cmd_unit_kit;
extern const command cmd_unit_quota;
extern const command cmd_unit_receipt;
extern const command cmd_unit_unenrol;
extern const command cmd_unit_update;
extern const command cmd_unit_upload;
extern const command cmd_unit_validated;
extern const command cmd_unit_watch;
extern const command cmd_vectors;

extern const command cmd_verify;
extern const command cmd_verify_winner;
extern const command cmd_void;
extern const command cmd_witness;

/* cmd_till.c: writes a unit's kit, as `unit enrol --kit` does too. */
int till_write_kit(cli *c, uint32_t number, const char *path);

/* cmd_report.c: `raffle verify --report`. */
int report_verify(cli *c);

#endif
