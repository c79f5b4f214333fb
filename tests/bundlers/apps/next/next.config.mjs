export default { serverExternalPackages: ['ocelli'] };
