"""Prints what an account holds of the kinds that our stack makes: JSON, `<service> <name>` each."""
import json
from awscli.botocore.session import get_session

LISTS = {
    "cloudformation": ("describe_stacks", "Stacks", "StackName"),
    "ecs": ("list_clusters", "clusterArns", None),
    "elbv2": ("describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "sqs": ("list_queues", "QueueUrls", None),
    "events": ("list_rules", "Rules", "Name"),
    "logs": ("describe_log_groups", "logGroups", "logGroupName"),
    "cloudwatch": ("describe_alarms", "MetricAlarms", "AlarmName"),
    "ec2": ("describe_vpcs", "Vpcs", "VpcId"),
    "iam": ("list_roles", "Roles", "RoleName"),
    "servicediscovery": ("list_namespaces", "Namespaces", "Name"),
    "secretsmanager": ("list_secrets", "SecretList", "Name"),
    "acm": ("list_certificates", "CertificateSummaryList", "CertificateArn"),
}


session = get_session()


def names(service, call, key, field):
    found = getattr(session.create_client(service), call)().get(key, [])
    return sorted(f"{service} {item[field] if field else item}" for item in found)


print(json.dumps([name for service, how in LISTS.items() for name in names(service, *how)]))
