//! Checking: the rules that a model must obey, one function each. A rule records errors. It must never change the model
//! or end the check.

mod binary;
mod build;
mod container;
mod function;
mod graph;
mod job;
mod names;
mod scope;
mod targets;

use crate::environment::Environment;
use crate::model::Model;
use crate::parse::Function;
use crate::report::Report;

/// Every rule for services.
pub(crate) fn services(model: &Model, environment: &Environment, report: &mut Report) {
    names::check_field_is_not_reserved(model, report);
    names::check_hosts_shadow_no_service(model, report);
    names::check_host_names_are_valid(model, report);
    names::check_host_names_differ(model, report);
    names::check_ports_differ(model, report);
    names::check_port_names_differ(model, report);
    names::check_variables_differ(model, report);
    names::check_build_arguments_differ(model, report);
    names::check_setup_names_differ(model, report);
    names::check_labels_differ(model, report);
    names::check_limits_differ(model, report);
    names::check_sysctls_differ(model, report);
    container::check_one_origin(model, report);
    container::check_base_has_a_binary(model, report);
    container::check_readiness_is_declared(model, report);
    container::check_binaries_exist(model, environment, report);
    binary::check_binaries_of_packages_exist(model, environment, report);
    build::check_builds(model, environment, report);
    job::check_jobs_serve_nothing(model, report);
    job::check_jobs_are_not_kept(model, report);
    job::check_artifacts_can_be_written(model, report);
    job::check_artifacts_differ(model, report);
    container::check_mounts_exist(model, environment, report);
    container::check_included_files_exist(model, environment, report);
    container::check_source_exists(model, environment, report);
    targets::check_targets_differ(model, report);
    targets::check_files_are_not_below_mounts(model, report);
    targets::check_nothing_is_below_a_file(model, report);
    graph::check_no_cycle(model, report);
    scope::check_needed_live_as_long(model, report);
    scope::check_keep_has_its_scope(model, report);
    scope::check_volumes_are_kept_by_all(model, report);
}

/// Every rule for test functions.
pub(crate) fn function(function: &Function, report: &mut Report) {
    function::check_no_receiver(function, report);
    function::check_not_generic(function, report);
    function::check_no_qualifiers(function, report);
    function::check_no_other_test_attribute(function, report);
    function::check_runtime_has_async(function, report);
}
